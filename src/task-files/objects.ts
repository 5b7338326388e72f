/** Finds the tasks in a parsed JSON or YAML text, in the shape of this project or of another tool. */
import { readBeads } from "./beads.ts";
import { shown } from "./findings.ts";
import { isObject, rowOf, type TaskObject } from "./object-row.ts";
import type { Places } from "./places.ts";
import type { ReadDrafts } from "./reading.ts";
import { toDraft } from "./row-to-draft.ts";
import { isTaskMaster, readTaskMaster } from "./task-master.ts";

export type Shape = "own" | "beads" | "task-master";

/** A parsed text. In JSON Lines, each line is a value. */
export interface Parsed {
  readonly values: readonly unknown[];
  readonly places: Places;
  /** Where each value begins. */
  readonly offsets: readonly number[];
}

/** @param wanted the shape that the user names; otherwise it is recognized */
export function readObjects(parsed: Parsed, wanted: Shape | null, to: ReadDrafts): void {
  const { source, findings } = to;
  const [root] = parsed.values;
  if (wanted === "task-master" || (wanted === null && isTaskMaster(root))) {
    readTaskMaster(root, parsed.places, to);
    return;
  }
  const objects = taskObjects(parsed, to);
  if (objects.length === 0 && findings.errors.count === 0) {
    findings.warning(source, 0, "the file has no tasks");
  }
  if (wanted === "beads" || (wanted === null && objects.some(({ value }) => isBead(value)))) {
    readBeads(objects, parsed.places, to);
    return;
  }
  for (const { value, offset } of objects) {
    const draft = toDraft(rowOf(value, offset, parsed.places, to), findings, to.notices);
    if (draft !== null) to.drafts.push(draft);
  }
}

function taskObjects(
  { values, places, offsets }: Parsed,
  { source, findings }: ReadDrafts,
): TaskObject[] {
  const objects: TaskObject[] = [];
  const add = (value: unknown, offset: number): void => {
    if (isObject(value)) objects.push({ value, offset });
    else findings.error(source, offset, `a task must be an object, not ${shown(value)}`);
  };
  values.forEach((value, index) => {
    const offset = offsets[index] ?? 0;
    const list = listIn(value);
    if (list === null) add(value, offset);
    else
      list.forEach((entry: unknown, position) => {
        add(entry, places.of(list, position));
      });
    if (list !== null && list !== value)
      reportOthers(value as object, places, { source, findings });
  });
  return objects;
}

/** An array of tasks, or an object with such an array as `tasks`; `null` for a single task. */
function listIn(value: unknown): unknown[] | null {
  if (Array.isArray(value)) return value as unknown[];
  return isObject(value) && Array.isArray(value.tasks) ? value.tasks : null;
}

/** What replies and exports have around the tasks. */
const AROUND_TASKS = new Set([
  "tasks",
  "ok",
  "next_cursor",
  "total",
  "version",
  "metadata",
  "meta",
]);

function reportOthers(
  value: object,
  places: Places,
  { source, findings }: Pick<ReadDrafts, "source" | "findings">,
): void {
  for (const name of Object.keys(value)) {
    if (AROUND_TASKS.has(name)) continue;
    findings.warning(
      source,
      places.of(value, name),
      `${shown(name)} is not imported: only "tasks" is`,
    );
  }
}

/** Fields that every issue of beads has, and no task of this project. */
function isBead(value: Readonly<Record<string, unknown>>): boolean {
  return "id" in value && !("task_id" in value) && "issue_type" in value;
}
