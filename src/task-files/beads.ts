/**
 * Reads the issues of beads (`issues.jsonl`). An issue waits for what it is blocked by. An epic is complete
 * when its children are.
 */
import { isValidId } from "../protocol/subjects.ts";
import { plainId } from "./convert.ts";
import type { GivenDependency, Located, Row } from "./draft.ts";
import { isObject, rowOf, type TaskObject } from "./object-row.ts";
import type { Places } from "./places.ts";
import type { ReadDrafts } from "./reading.ts";
import { toDraft } from "./row-to-draft.ts";

/** Links that keep an issue from being ready. The others only refer to an issue. */
const BLOCKING = new Set(["blocks", "waits-for"]);
const PARENT = "parent-child";

/** What beads writes down about changes. */
const HISTORY = new Set([
  ...[
    "created_at",
    "created_by",
    "updated_at",
    "compaction_level",
    "compacted_at",
    "original_size",
  ],
  ...["original_type", "deleted_at", "deleted_by", "delete_reason", "content_hash", "source_repo"],
  ...["comments", "dependency_count", "dependent_count", "comment_count", "owner", "blocked_by"],
  ...["dependents", "blocks", "started_at", "closed_by_session", "compacted_at_commit"],
]);

/** Names of beads for fields of ours. The assignee is the session that has claimed the issue. */
const RENAMED: Readonly<Record<string, string>> = {
  labels: "tags",
  assignee: "claimed_by",
  closed_by: "completed_by",
  closed_at: "completed_at",
  close_reason: "result",
  defer_until: "not_before",
};
const ONLY_IF_CLOSED = new Set(["closed_at", "closed_by", "close_reason"]);

export function readBeads(objects: readonly TaskObject[], places: Places, to: ReadDrafts): void {
  const live = objects.filter(({ value }) => value.status !== "tombstone");
  if (live.length < objects.length) {
    const count = objects.length - live.length;
    to.findings.skipped += count;
    to.findings.warningInFile(to.source.name, `deleted issues (tombstones) are left out: ${count}`);
  }
  const deleted = new Set(
    objects.filter(({ value }) => value.status === "tombstone").map(({ value }) => value.id),
  );
  for (const object of live) readBead(object, deleted, places, to);
}

function readBead(
  object: TaskObject,
  deleted: ReadonlySet<unknown>,
  places: Places,
  to: ReadDrafts,
): void {
  const { value, offset } = object;
  const row = rowOf(value, offset, places, to);
  const links = linksOf(value, places);
  const parentLink = links.find(({ type }) => type === PARENT);
  const dependencies = links.flatMap(({ type, id, at }): GivenDependency[] => {
    if (!BLOCKING.has(type)) return [];
    if (!deleted.has(id) && isValidId(id)) return [{ text: id, offset: at, isExact: true }];
    const what = deleted.has(id) ? "deleted issues" : "issues of other projects";
    to.notices.addTask(`dependencies on ${what} are left out`, to.source, at, String(value.id));
    return [];
  });
  const fields = fieldsOf(row, value, links, to);
  const draft = toDraft({ ...row, fields }, to.findings, to.notices);
  if (draft === null) return;
  to.drafts.push({ ...draft, dependencies, parent: parentLink?.id ?? parentOf(value) });
}

function fieldsOf(
  row: Row,
  value: Readonly<Record<string, unknown>>,
  links: readonly Link[],
  to: ReadDrafts,
): Map<string, Located> {
  const fields = new Map<string, Located>();
  const isClosed = value.status === "closed";
  for (const [name, located] of row.fields) {
    if (name === "dependencies" || name === "parent") continue;
    if (HISTORY.has(name) || (ONLY_IF_CLOSED.has(name) && !isClosed)) {
      if (located.value !== null) to.notices.add("history", row, name);
    } else if (name === "closed_by" && !isValidId(String(located.value))) {
      to.notices.addTask(
        "closed_by is no session id, so it is left out",
        to.source,
        row.offset,
        String(value.id),
      );
    } else if (located.value !== "" && located.value !== null) {
      fields.set(RENAMED[name] ?? name, located);
    }
  }
  const references = links.filter(({ type }) => !BLOCKING.has(type) && type !== PARENT);
  if (references.length > 0) {
    const named = references.map(({ type, id }) => ({ type, id }));
    fields.set("links", { value: named, offset: row.offset });
  }
  return fields;
}

interface Link {
  readonly type: string;
  readonly id: string;
  readonly at: number;
}

/** `bd list --json` names the same things `id` and `dependency_type`. */
function linksOf(value: Readonly<Record<string, unknown>>, places: Places): Link[] {
  const { dependencies } = value;
  if (!Array.isArray(dependencies)) return [];
  return dependencies.filter(isObject).flatMap((link) => {
    const id = link.depends_on_id ?? link.id;
    const type = link.type ?? link.dependency_type ?? "blocks";
    if (typeof id !== "string" || typeof type !== "string") return [];
    return [{ type, id: plainId(id), at: places.of(link) }];
  });
}

function parentOf({ parent }: Readonly<Record<string, unknown>>): string | null {
  return typeof parent === "string" && parent !== "" ? parent : null;
}
