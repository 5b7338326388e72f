/**
 * Ends what a load leaves unfinished, so that no task has any reason to stay: one that waits for a
 * cancelled one waits for ever, and the finished ones on which it depends are kept for as long.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { TaskClient } from "../../src/client/task-client.ts";

const AGAIN_MS = 500;
const PAGE = 1_000;

/** Resolves when no task is unfinished. Claims are to end by themselves, when their leases do. */
export async function cancelUnfinished(tasks: TaskClient): Promise<void> {
  for (;;) {
    const status = ["blocked", "available", "claimed"] as const;
    const { tasks: unfinished } = await tasks.list({ status: [...status], limit: PAGE });
    if (unfinished.length === 0) return;
    const unclaimed = unfinished.filter((task) => task.status !== "claimed");
    // A refusal says that it was claimed or finished meanwhile: the next list tells.
    await Promise.allSettled(unclaimed.map(({ task_id }) => tasks.cancel(task_id)));
    await delay(AGAIN_MS);
  }
}
