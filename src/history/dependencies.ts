/** Whether tasks have waited for their dependencies, and no longer than that (G7). */
import type { RecordedEntry } from "../nats/read-history.ts";
import type { Task } from "../task/task.ts";
import type { RecordedUpdate } from "./recording.ts";
import type { Problem } from "./verdict.ts";

/**
 * Tasks that were claimed before each of their dependencies had been complete once.
 *
 * One that was complete may have been requeued in the moment of the claim, which nothing can exclude:
 * the two are different records.
 */
export function claimedTooEarly(updates: readonly RecordedUpdate[]): Problem[] {
  const wereComplete = new Set<string>();
  return updates.flatMap(({ task_id: taskId, type, task, revision }) => {
    if (task.status === "complete") wereComplete.add(taskId);
    const missing = task.depends_on.find((id) => !wereComplete.has(id));
    if (type !== "task_claimed" || missing === undefined) return [];
    const what = `was claimed in revision ${revision}, before ${missing} was complete`;
    return [{ guarantee: "dependants", taskId, what }];
  });
}

/** Tasks whose status contradicts the dependencies, at the end of a history. */
export function outOfLine(entries: readonly RecordedEntry[]): Problem[] {
  const tasks = new Map<string, Task | null>();
  for (const { taskId, task } of entries) tasks.set(taskId, task);
  return [...tasks.values()].flatMap((task) => {
    if (task === null || !["blocked", "available"].includes(task.status)) return [];
    const unmet = task.dependsOn.filter((id) => tasks.get(id)?.status !== "complete");
    if ((task.status === "blocked") === unmet.length > 0) return [];
    const what =
      task.status === "blocked"
        ? "is still blocked, though all of its dependencies are complete"
        : `is available, though ${unmet.join(", ")} is not complete`;
    return [{ guarantee: "dependants", taskId: task.taskId, what }];
  });
}
