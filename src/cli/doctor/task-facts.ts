/** Reads the tasks and sessions through the workers, page by page, so that they can do other work in between. */
import type { Calls } from "../../client/calls.ts";
import type { TaskRecord } from "../../protocol/task-record.ts";
import { MAX_PAGE } from "../../protocol/fields.ts";
import type { TaskBrief, TasksFacts } from "./verdicts/tasks.ts";

export function briefOf(task: TaskRecord): TaskBrief {
  return {
    status: task.status,
    dependsOn: task.depends_on,
    requires: task.requires,
    claimedBy: task.claimed_by,
    attempt: task.attempt,
    leaseEpoch: task.lease_epoch ?? 0,
    claimedAt: task.claimed_at === null ? null : Date.parse(task.claimed_at),
  };
}

/** Ends early, with the tasks that it has, when the signal is aborted. @throws TaskError */
export async function readTasks(calls: Calls, signal: AbortSignal): Promise<TasksFacts> {
  const byId = new Map<string, TaskBrief>();
  let cursor: string | undefined;
  do {
    if (signal.aborted) return { byId, isComplete: false };
    const body = { limit: MAX_PAGE, ...(cursor === undefined ? {} : { cursor }) };
    const { tasks, next_cursor: next } = await calls.call("tasks.list", undefined, () => body);
    for (const task of tasks) byId.set(task.task_id, briefOf(task));
    cursor = next ?? undefined;
  } while (cursor !== undefined);
  return { byId, isComplete: true };
}

/** The capabilities of each registered session. @throws TaskError */
export async function readCapabilities(calls: Calls): Promise<string[][]> {
  const capabilities: string[][] = [];
  let cursor: string | undefined;
  do {
    const body = { limit: MAX_PAGE, ...(cursor === undefined ? {} : { cursor }) };
    const page = await calls.call("sessions.list", undefined, () => body);
    capabilities.push(...page.sessions.map((session) => session.capabilities));
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
  return capabilities;
}
