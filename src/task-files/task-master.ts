/**
 * Reads `tasks.json` of Task Master: a list of tasks, or one list for each tag. Subtasks become tasks with
 * ids such as `1.2`. A task is complete when its subtasks are.
 */
import { isValidId } from "../protocol/subjects.ts";
import { textOf, WrongValue } from "./convert.ts";
import type { GivenDependency, Located } from "./draft.ts";
import { shown } from "./findings.ts";
import { isObject, rowOf, type TaskObject } from "./object-row.ts";
import type { Places } from "./places.ts";
import type { ReadDrafts } from "./reading.ts";
import { toDraft } from "./row-to-draft.ts";

/** Tasks of the tag that Task Master uses by default keep their numbers as ids. */
const DEFAULT_TAG = "master";

/** What Task Master writes down about changes, or computes itself. */
const HISTORY = new Set(["updatedAt", "createdAt", "previousStatus", "parentId", "parentTaskId"]);
/** For the session that does the work. */
const WORK = ["details", "testStrategy", "acceptanceCriteria"];

export function isTaskMaster(root: unknown): boolean {
  if (!isObject(root)) return false;
  if (Array.isArray(root.tasks)) return root.tasks.some(isTaskOfTaskMaster);
  const lists = Object.values(root);
  return lists.length > 0 && lists.every((tag) => isObject(tag) && Array.isArray(tag.tasks));
}

function isTaskOfTaskMaster(task: unknown): boolean {
  if (!isObject(task) || "task_id" in task || "depends_on" in task) return false;
  return "subtasks" in task || "testStrategy" in task || Number.isInteger(task.id);
}

export function readTaskMaster(root: unknown, places: Places, to: ReadDrafts): void {
  const { source, findings } = to;
  if (!isTaskMaster(root) || !isObject(root)) {
    const message =
      'is not a file of Task Master: {"master":{"tasks":[...]}} or {"tasks":[...]} is expected';
    findings.error(source, 0, message);
    return;
  }
  if (Array.isArray(root.tasks)) {
    readTag({ prefix: "", tasks: root.tasks, places, to });
    return;
  }
  for (const [tag, content] of Object.entries(root)) {
    const prefix = tag === DEFAULT_TAG ? "" : `${tag}/`;
    if (!isValidId(tag)) {
      const message = `the tag ${shown(tag)} cannot be part of a task id: rename it in Task Master`;
      findings.error(source, places.of(root, tag), message);
      continue;
    }
    readTag({ prefix, tasks: (content as { tasks: unknown[] }).tasks, places, to });
  }
}

interface Tag {
  /** Ids are unique within a tag only. */
  readonly prefix: string;
  readonly tasks: readonly unknown[];
  readonly places: Places;
  readonly to: ReadDrafts;
}

function readTag(tag: Tag): void {
  for (const task of tag.tasks) {
    if (isObject(task)) readTask({ value: task, offset: tag.places.of(task) }, null, tag);
    else
      tag.to.findings.error(
        tag.to.source,
        tag.places.of(tag.tasks),
        `a task must be an object, not ${shown(task)}`,
      );
  }
}

/** @param parent the number of the task around a subtask */
function readTask(object: TaskObject, parent: string | null, tag: Tag): void {
  const { places, to, prefix } = tag;
  const { value } = object;
  const row = rowOf(value, object.offset, places, to);
  let id: string;
  let dependencies: GivenDependency[];
  try {
    id = numberOf(row.fields.get("id") ?? { value: null, offset: row.offset }, parent);
    dependencies = dependenciesOf(row.fields.get("dependencies"), parent, prefix);
  } catch (error) {
    if (!(error instanceof WrongValue)) throw error;
    to.findings.error(to.source, error.offset, error.message);
    return;
  }
  const fields = new Map<string, Located>([
    ["task_id", { value: prefix + id, offset: row.offset }],
  ]);
  for (const [name, located] of row.fields) {
    if (["id", "dependencies", "subtasks", "payload", ...WORK].includes(name)) continue;
    if (HISTORY.has(name)) to.notices.add("history", row, name);
    else fields.set(name, located);
  }
  const work = WORK.filter((name) => !isEmpty(value[name])).map(
    (name) => [name, value[name]] as const,
  );
  if (work.length > 0)
    fields.set("payload", { value: Object.fromEntries(work), offset: row.offset });
  const draft = toDraft({ ...row, fields }, to.findings, to.notices);
  if (draft !== null) {
    to.drafts.push({ ...draft, dependencies, parent: parent === null ? null : prefix + parent });
  }
  const { subtasks } = value;
  if (!Array.isArray(subtasks)) return;
  for (const subtask of subtasks.filter(isObject)) {
    readTask({ value: subtask, offset: places.of(subtask) }, id, tag);
  }
}

/** Subtasks are numbered within their task: `2` in task 4 is `4.2`. */
function numberOf(located: Located, parent: string | null): string {
  if (typeof located.value !== "string" && !Number.isSafeInteger(located.value)) {
    throw new WrongValue(
      located.offset,
      `id: must be a whole number or a text, not ${shown(located.value)}`,
    );
  }
  const id = textOf("id", located);
  return parent === null || id.startsWith(`${parent}.`) ? id : `${parent}.${id}`;
}

/** A number in a subtask names another subtask of the same task; a text such as `3.1` names any task. */
function dependenciesOf(
  located: Located | undefined,
  parent: string | null,
  prefix: string,
): GivenDependency[] {
  if (located === undefined || isEmpty(located.value)) return [];
  const { value, offset } = located;
  if (!Array.isArray(value)) {
    throw new WrongValue(
      offset,
      `dependencies: must be a list such as [1, "2.1"], not ${shown(value)}`,
    );
  }
  return value.map((entry: unknown) => {
    if (typeof entry === "number" && !Number.isInteger(entry)) {
      throw new WrongValue(
        offset,
        `dependencies: write ${entry} as a text, because 1.10 is the number 1.1`,
      );
    }
    const isSibling = parent !== null && (typeof entry === "number" || /^\d+$/.test(String(entry)));
    const id = numberOf({ value: entry, offset }, isSibling ? parent : null);
    return { text: prefix + id, offset, isExact: true };
  });
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === "";
}
