/** Who holds a task, and what to tell those who do not. */
import type { Decision } from "./commands.ts";
import type { Task } from "./task.ts";

/**
 * Whether `sessionId` holds the task, under `attempt` if it names one. `null` means that it does.
 *
 * An attempt that is not the current one, or whose claim has ended, is `lease_lost`: the caller was
 * once right. Anything else is `not_holder`.
 */
export function holderRefusal(
  task: Task,
  sessionId: string,
  attempt: number | null,
): Extract<Decision, { kind: "refused" }> | null {
  if (task.status === "claimed" && task.claimedBy === sessionId) {
    return attempt === null || attempt === task.attempt ? null : leaseLost(task);
  }
  const { lastEvent: event, status } = task;
  const onceHeld =
    attempt === null
      ? event?.oldStatus === "claimed" && status !== "claimed" && event.sessionId === sessionId
      : status !== "claimed" || attempt !== task.attempt;
  return onceHeld
    ? leaseLost(task)
    : { kind: "refused", refusal: { code: "not_holder", claimedBy: task.claimedBy } };
}

function leaseLost(task: Task): Extract<Decision, { kind: "refused" }> {
  return { kind: "refused", refusal: { code: "lease_lost", attempt: task.attempt } };
}
