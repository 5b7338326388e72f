/** The rules for a simulation only, which imports all tasks and works until they are complete. */
import type { Deed } from "../history/reports.ts";
import type { Finding, History } from "../history/history.ts";
import type { RecordedEntry } from "../nats/read-history.ts";
import type { EventType } from "../task/task.ts";
import type { Action, Activity } from "./activity-log.ts";

/** Without this check, the others would pass on an incomplete history. */
export function historyIsWhole(
  history: History,
  entries: readonly RecordedEntry[],
  taskIds: readonly string[],
): Finding[] {
  const imported = new Set(taskIds);
  const unreadable = entries
    .filter(({ task }) => task === null)
    .map(({ taskId, revision }) => ({ taskId, what: `revision ${revision} is not a task` }));
  const foreign = [...history.keys()]
    .filter((id) => !imported.has(id))
    .map((taskId) => ({ taskId, what: "was not imported" }));
  const trimmed = taskIds.flatMap((taskId) => {
    const [first] = history.get(taskId) ?? [];
    if (first === undefined) return [{ taskId, what: "has no history" }];
    const type = first.task.lastEvent?.type;
    if (type === "task_created") return [];
    const what = `its history was trimmed and begins with ${type ?? "no event"}`;
    return [{ taskId, what }];
  });
  const gap = entries.find(({ revision }, i) => revision !== i + 1);
  const missing =
    gap === undefined
      ? []
      : [{ taskId: gap.taskId, what: `revisions before ${gap.revision} are missing` }];
  return [...unreadable, ...foreign, ...trimmed, ...missing];
}

export function allComplete(history: History, taskIds: readonly string[]): Finding[] {
  return taskIds.flatMap((taskId) => {
    const status = history.get(taskId)?.at(-1)?.task.status;
    return status === "complete" ? [] : [{ taskId, what: `ended as ${status ?? "unknown"}` }];
  });
}

export function attemptsRecovered(history: History): Finding[] {
  return [...history].flatMap(([taskId, states]) =>
    states.flatMap(({ task }, i) => {
      const type = task.lastEvent?.type;
      if (type !== "task_expired" && type !== "task_attempt_failed") return [];
      const later = states.slice(i + 1);
      const isClaimedAgain = later.some(
        (state) =>
          state.task.lastEvent?.type === "task_claimed" && state.task.attempt > task.attempt,
      );
      if (isClaimedAgain && later.at(-1)?.task.status === "complete") return [];
      return [{ taskId, what: `attempt ${task.attempt} ended by ${type} and was not made good` }];
    }),
  );
}

const EVENTS_OF_ACTION: Record<Action, readonly EventType[]> = {
  completed: ["task_completed"],
  failed: ["task_attempt_failed", "task_failed"],
  crashed: ["task_expired", "task_failed"],
  lost: ["task_expired", "task_failed"],
};

export function deedOf({ sessionId, taskId, attempt, action }: Activity): Deed {
  const otherwise = `${sessionId} ${action} attempt ${attempt}, which history does not show`;
  return { taskId, sessionId, attempt, events: EVENTS_OF_ACTION[action], otherwise };
}
