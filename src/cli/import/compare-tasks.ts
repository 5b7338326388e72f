/** Compares the tasks of files with those of the coordinator, as an import does. */
import type { Calls } from "../../client/calls.ts";
import { canonicalJson } from "../../protocol/canonical-json.ts";
import { decodeDefinition, encodeDefinition } from "../../protocol/definition-record.ts";
import type { TaskRecord } from "../../protocol/task-record.ts";
import type { ImportedTask } from "../../task-files/finish.ts";
import { existingTasks } from "./existing-tasks.ts";

/** A task that exists with another definition. */
export interface Difference {
  readonly task_id: string;
  /** The fields that differ, such as `title`. */
  readonly fields: readonly string[];
  /** Who created the existing task; `null` if that is not known. */
  readonly created_by: string | null;
}

/** What an import would do. */
export interface ImportPlan {
  readonly created: readonly string[];
  readonly unchanged: readonly string[];
  readonly conflicting: readonly Difference[];
}

export async function compareTasks(
  calls: Pick<Calls, "call">,
  tasks: readonly ImportedTask[],
): Promise<ImportPlan> {
  const existing = await existingTasks(
    calls,
    tasks.map(({ task_id }) => task_id),
  );
  const created: string[] = [];
  const unchanged: string[] = [];
  const conflicting: Difference[] = [];
  for (const task of tasks) {
    const { task_id } = task;
    const record = existing.get(task_id);
    const fields = record === undefined ? [] : differingFields(task, record);
    if (record === undefined) created.push(task_id);
    else if (fields.length === 0) unchanged.push(task_id);
    else conflicting.push({ task_id, fields, created_by: record.created_by ?? null });
  }
  return { created, unchanged, conflicting };
}

/** A limit that the file does not name is the coordinator's own, so it does not count as a difference. */
export function differingFields(task: ImportedTask, record: TaskRecord): string[] {
  const [given, stored] = definitionsOf(task, record);
  return Object.keys(stored).filter(
    (name) => canonicalJson(given[name]) !== canonicalJson(stored[name]),
  );
}

/** The fields of an update that gives the task the definition of the file. */
export function changesFor(task: ImportedTask, record: TaskRecord): Record<string, unknown> {
  const [given] = definitionsOf(task, record);
  return Object.fromEntries(differingFields(task, record).map((name) => [name, given[name]]));
}

type Definition = Record<string, unknown>;

function definitionsOf(
  task: ImportedTask,
  record: TaskRecord,
): [given: Definition, stored: Definition] {
  const limits = { maxFailures: record.max_failures, maxLostLeases: record.max_lost_leases };
  return [
    encodeDefinition(decodeDefinition(task, limits)),
    encodeDefinition(decodeDefinition(record)),
  ];
}
