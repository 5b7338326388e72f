/** Who holds a task, how a claim ended, and what to tell those who do not hold it. */
import type { Decision } from "./commands.ts";
import {
  CONNECTION_LOST,
  LEASE_EXPIRED,
  STOPPED_AS_ASKED,
  type Task,
  type TaskEvent,
} from "./task.ts";

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
      ? endOfClaim(event) !== null && event?.sessionId === sessionId
      : status !== "claimed" || attempt !== task.attempt;
  return onceHeld
    ? leaseLost(task)
    : { kind: "refused", refusal: { code: "not_holder", claimedBy: task.claimedBy } };
}

/** `stopped`: by its holder, who was asked to; `cancelled` and `requeued`: taken from its holder. */
export type EndOfClaim =
  "released" | "completed" | "failed" | "stopped" | "expired" | "cancelled" | "requeued";

/** How the claim ended that the event ended; `null` if it ended none. */
export function endOfClaim(event: TaskEvent | null): EndOfClaim | null {
  if (event?.oldStatus !== "claimed" || event.newStatus === "claimed") return null;
  if (event.reason === LEASE_EXPIRED || event.reason === CONNECTION_LOST) return "expired";
  if (event.reason === STOPPED_AS_ASKED) return "stopped";
  switch (event.type) {
    case "task_released":
      return "released";
    case "task_completed":
      return "completed";
    case "task_attempt_failed":
    case "task_failed":
      return "failed";
    case "task_cancelled":
      return "cancelled";
    default:
      return "requeued";
  }
}

function leaseLost(task: Task): Extract<Decision, { kind: "refused" }> {
  return { kind: "refused", refusal: { code: "lease_lost", attempt: task.attempt } };
}
