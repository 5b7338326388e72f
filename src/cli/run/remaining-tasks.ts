/** What is left to do for a session: tasks that it can claim, now or later. */
import type { TaskClient } from "../../client/task-client.ts";
import type { TaskRecord } from "../../protocol/task-record.ts";

export interface WantedTasks {
  readonly prefix: string;
  readonly tags: readonly string[];
  readonly capabilities: readonly string[];
}

/** The first page is nearly always enough. */
const PAGE = 10;
const MAX_DEAD_ENDS = 100;

/**
 * One of the tasks that the session can claim now or later, or `null`. A task of another session counts,
 * because it comes back if that session fails. So does a task that waits for a time, or for other tasks. A task
 * that waits for a failed or cancelled task does not count.
 */
export async function remainingTask(
  client: TaskClient,
  { prefix, tags, capabilities }: WantedTasks,
): Promise<TaskRecord | null> {
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<TaskClient["list"]>> = await client.list({
      status: ["available", "claimed", "blocked"],
      dead_end: false,
      prefix,
      tags: [...tags],
      limit: PAGE,
      ...(cursor === null ? {} : { cursor }),
    });
    const isPossible = ({ requires }: TaskRecord): boolean =>
      requires.every((capability) => capabilities.includes(capability));
    const found = page.tasks.find(isPossible);
    if (found !== undefined) return found;
    cursor = page.next_cursor;
  } while (cursor !== null);
  return null;
}

/** Why the task is not ready, for people. */
export function describeRemaining({ task_id: id, status, claimed_by: holder }: TaskRecord): string {
  return `${id} (${holder === null ? status : `claimed by ${holder}`})`;
}

/** The ids of tasks that wait for a failed or cancelled task, at most 100. */
export async function deadEnds(
  client: TaskClient,
  { prefix, tags }: WantedTasks,
): Promise<string[]> {
  const wanted = { dead_end: true, prefix, tags: [...tags], limit: MAX_DEAD_ENDS };
  return (await client.list(wanted)).tasks.map(({ task_id: id }) => id);
}

/** @param ids at least one */
export function describeDeadEnds(ids: readonly string[]): string {
  const [first = ""] = ids;
  if (ids.length === 1) return `a task is left that waits for a failed or cancelled task: ${first}`;
  const count = ids.length < MAX_DEAD_ENDS ? String(ids.length) : `${MAX_DEAD_ENDS} or more`;
  return `${count} tasks are left that wait for a failed or cancelled task, such as ${first}`;
}
