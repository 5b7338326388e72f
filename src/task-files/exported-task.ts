/** A task's record as a file can have it: what an import takes, without fields that have their default. */
import type { TaskRecord } from "../protocol/task-record.ts";
import { DEFINITION_DEFAULTS } from "../task/task.ts";
import type { ImportedTask } from "./finish.ts";

/**
 * The limits of failures and lost leases are always named, because their defaults depend on the coordinator.
 * A task that is claimed or failed is exported as a task that has yet to be done.
 */
export function exportedTask(record: TaskRecord): ImportedTask {
  const { status, result, completed_at, completed_by, not_before } = record;
  const isFinished = status === "complete" || status === "cancelled";
  return {
    task_id: record.task_id,
    ...(record.title === "" ? {} : { title: record.title }),
    ...(record.description === null ? {} : { description: record.description }),
    ...(record.priority === DEFINITION_DEFAULTS.priority ? {} : { priority: record.priority }),
    ...(record.depends_on.length === 0 ? {} : { depends_on: record.depends_on }),
    ...(record.requires.length === 0 ? {} : { requires: record.requires }),
    ...(record.tags.length === 0 ? {} : { tags: record.tags }),
    ...(Object.keys(record.metadata).length === 0 ? {} : { metadata: record.metadata }),
    ...(record.payload === null ? {} : { payload: record.payload }),
    max_failures: record.max_failures,
    max_lost_leases: record.max_lost_leases,
    ...(isFinished || not_before === null ? {} : { not_before }),
    ...(isFinished ? { status } : {}),
    ...(status === "complete" && result !== null ? { result } : {}),
    ...(status === "complete" && completed_at !== null ? { completed_at } : {}),
    ...(status === "complete" && completed_by !== null ? { completed_by } : {}),
  };
}
