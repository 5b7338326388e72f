/** Records and updates of tasks for the tests of the board. */
import type { TaskUpdate } from "../../../src/client/task-update.ts";
import type { TaskRecord } from "../../../src/protocol/task-record.ts";

/** A time at which the tests look at the board. */
export const NOW = Date.parse("2026-03-01T12:00:00Z");

export function taskRecord(taskId: string, fields: Partial<TaskRecord> = {}): TaskRecord {
  const record = {
    task_id: taskId,
    title: `Title of ${taskId}`,
    priority: 2,
    requires: [],
    status: "available",
    claimed_by: null,
    claimed_at: null,
    attempt: 0,
    not_before: null,
    created_revision: 1,
    ...fields,
  };
  // The board reads no other fields.
  return record as unknown as TaskRecord;
}

/** @param secondsAgo before `NOW` */
export function claimedRecord(
  taskId: string,
  holder: string,
  secondsAgo: number,
  fields: Partial<TaskRecord> = {},
): TaskRecord {
  const claimed_at = new Date(NOW - secondsAgo * 1_000).toISOString();
  const claim = { status: "claimed", claimed_by: holder, claimed_at, attempt: 1 } as const;
  return taskRecord(taskId, { ...claim, ...fields });
}

export function taskUpdate(task: TaskRecord, fields: Partial<TaskUpdate>): TaskUpdate {
  return {
    type: "task_updated",
    task_id: task.task_id,
    old_status: task.status,
    new_status: task.status,
    claimed_by: task.claimed_by,
    session_id: task.claimed_by,
    reason: null,
    timestamp: new Date(NOW).toISOString(),
    revision: 100,
    task,
    transitions_missing: false,
    ...fields,
  };
}
