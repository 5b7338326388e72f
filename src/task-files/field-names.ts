/** The names that columns and fields have in files of people, and the fields of a task that they mean. */
import { nearest } from "../protocol/nearest.ts";

/** A field of an import, or one of those that only files have. */
export type FieldName =
  | "task_id"
  | "title"
  | "description"
  | "status"
  | "priority"
  | "depends_on"
  | "requires"
  | "tags"
  | "metadata"
  | "payload"
  | "max_failures"
  | "max_lost_leases"
  | "not_before"
  | "result"
  | "completed_at"
  | "completed_by"
  /** Who should do it: kept in the metadata. */
  | "owner"
  /** Who did it, or does it now. */
  | "claimed_by"
  /** Other fields as a JSON object, which `export` writes. */
  | "more";

const NAMES: Readonly<Record<FieldName, readonly string[]>> = {
  task_id: [
    "task id",
    "id",
    "taskid",
    "#",
    "no",
    "nr",
    "key",
    "ref",
    "identifier",
    "issue id",
    "issue",
  ],
  title: [
    "title",
    "name",
    "task",
    "task name",
    "summary",
    "subject",
    "task title",
    "todo",
    "work item",
  ],
  description: ["description", "desc", "details", "body"],
  status: ["status", "state", "task status", "current status"],
  priority: ["priority", "prio", "urgency"],
  depends_on: [
    ...["depends on", "dependencies", "dependency", "deps", "blocked by", "blocked until"],
    ...["prerequisites", "prerequisite", "predecessors", "waits for", "waiting for", "waiting on"],
    ...["needs", "after"],
  ],
  requires: ["requires", "capabilities", "capability", "required capabilities", "skills"],
  tags: ["tags", "labels", "tag", "label"],
  metadata: ["metadata"],
  payload: ["payload"],
  max_failures: ["max failures"],
  max_lost_leases: ["max lost leases"],
  not_before: ["not before", "start after", "not earlier than"],
  result: ["result"],
  completed_at: [
    "completed at",
    "finished at",
    "closed at",
    "done at",
    "completed on",
    "closed on",
  ],
  completed_by: ["completed by", "done by", "finished by"],
  owner: ["owner", "assignee", "assigned to", "assigned", "responsible", "agent", "who"],
  claimed_by: ["claimed by", "session", "held by"],
  more: ["more"],
};

const BY_NAME = new Map(
  Object.entries(NAMES).flatMap(([field, names]) =>
    names.map((name) => [name, field as FieldName] as const),
  ),
);

/** Fields of a task's record that an import cannot set: what happened to the task. */
const RECORD_ONLY = new Set([
  ...["claimed at", "attempt", "failures", "lost leases", "error", "created at", "updated at"],
  ...["last event", "cancel requested", "ttl seconds", "claim request", "claim instance"],
  ...["fencing token", "lease epoch", "created revision", "revision", "lease"],
]);

/** `dependsOn`, `Depends-On` and `**Depends on:**` become `depends on`. */
export function plainName(name: string): string {
  if (/^\s*#\s*$/.test(name)) return "#";
  return name
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
}

/** What a name means: a field, a part of the history of a task, or something of the user's own. */
export type NameMeaning = FieldName | "record only" | null;

export function meaningOf(name: string): NameMeaning {
  const plain = plainName(name);
  return BY_NAME.get(plain) ?? (RECORD_ONLY.has(plain) ? "record only" : null);
}

/** A misspelling of these would let a task begin too early, so it is not taken for a field of the user's own. */
const OFTEN_MISSPELT = [
  ...[
    "depends on",
    "dependencies",
    "dependency",
    "blocked by",
    "prerequisites",
    "priority",
    "status",
  ],
  ...["description", "metadata", "payload", "max failures", "max lost leases", "not before"],
];

/** The known name that was probably meant by an unknown one. */
export function misspeltName(name: string): string | undefined {
  return nearest(plainName(name), OFTEN_MISSPELT)?.replaceAll(" ", "_");
}
