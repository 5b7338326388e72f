/** Reads the tasks with certain ids from the coordinator. */
import type { Calls } from "../../client/calls.ts";
import { hasCode } from "../../client/task-error.ts";
import type { TaskRecord } from "../../protocol/task-record.ts";
import { taskPages } from "../shared/task-pages.ts";

/** More tasks are read in pages, with all others that have the same prefix. */
const MAX_SINGLE = 200;
/** Requests at a time. */
const PARALLEL = 16;

/** Those that exist, by their ids. */
export async function existingTasks(
  calls: Pick<Calls, "call">,
  ids: readonly string[],
): Promise<Map<string, TaskRecord>> {
  const found = new Map<string, TaskRecord>();
  if (ids.length === 0) return found;
  if (ids.length > MAX_SINGLE) {
    const wanted = new Set(ids);
    for await (const page of taskPages(calls, { prefix: commonPrefix(ids) })) {
      for (const task of page) if (wanted.has(task.task_id)) found.set(task.task_id, task);
    }
    return found;
  }
  const queue = ids.values();
  const work = async (): Promise<void> => {
    for (const id of queue) {
      const task = await existingTask(calls, id);
      if (task !== null) found.set(id, task.task);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
  return found;
}

/** With its revision; `null` if it does not exist. */
export async function existingTask(
  calls: Pick<Calls, "call">,
  id: string,
): Promise<{ readonly task: TaskRecord; readonly revision: number } | null> {
  try {
    return await calls.call("tasks.get", id, () => ({}));
  } catch (error) {
    if (hasCode(error, "not_found")) return null;
    throw error;
  }
}

/** At most as long as a request takes. */
function commonPrefix(ids: readonly string[]): string {
  let prefix = ids[0] ?? "";
  for (const id of ids) {
    while (!id.startsWith(prefix)) prefix = prefix.slice(0, -1);
  }
  return prefix;
}
