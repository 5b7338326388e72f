/** Who holds a task, how a claim ended, and what to tell those who do not hold it. */
import type { Decision } from "./commands.ts";
import {
  CONNECTION_LOST,
  LEASE_EXPIRED,
  SESSION_REPLACED,
  STOPPED_AS_ASKED,
  type Task,
  type TaskEvent,
} from "./task.ts";

/**
 * Whether the session made the current claim, as the instance that it names. Without an instance the
 * session alone decides.
 */
export function isClaimOf(task: Task, sessionId: string, instance: string | null): boolean {
  const isSame = instance === null || instance === task.claimInstance;
  return task.status === "claimed" && task.claimedBy === sessionId && isSame;
}

/** Whether the claim was made by another process of its session than this one. */
export function isOfOtherInstance(task: Task, instance: string | null): boolean {
  return instance !== null && task.claimInstance !== null && instance !== task.claimInstance;
}

/**
 * Whether `sessionId` holds the task, under `attempt` if it names one, and as no other instance than
 * the one that it names. `null` means that it does.
 *
 * An attempt that is not the current one, or whose claim has ended, is `lease_lost`: the caller was
 * once right. Anything else is `not_holder`.
 */
export function holderRefusal(
  task: Task,
  sessionId: string,
  attempt: number | null,
  instance: string | null = null,
): Extract<Decision, { kind: "refused" }> | null {
  if (task.status === "claimed" && task.claimedBy === sessionId) {
    if (isOfOtherInstance(task, instance)) return notHolder(task, { isOtherInstance: true });
    return attempt === null || attempt === task.attempt ? null : leaseLost(task);
  }
  const { lastEvent: event, status } = task;
  const onceHeld =
    attempt === null
      ? endOfClaim(event) !== null && event?.sessionId === sessionId
      : status !== "claimed" || attempt !== task.attempt;
  return onceHeld ? leaseLost(task) : notHolder(task);
}

/**
 * `stopped`: by its holder, who was asked to; `replaced`, `cancelled` and `requeued`: taken from its
 * holder.
 */
export type EndOfClaim =
  | "released"
  | "completed"
  | "failed"
  | "stopped"
  | "expired"
  | "replaced"
  | "cancelled"
  | "requeued";

/** How the claim ended that the event ended; `null` if it ended none. */
export function endOfClaim(event: TaskEvent | null): EndOfClaim | null {
  if (event?.oldStatus !== "claimed" || event.newStatus === "claimed") return null;
  if (event.reason === LEASE_EXPIRED || event.reason === CONNECTION_LOST) return "expired";
  if (event.reason === SESSION_REPLACED) return "replaced";
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

function notHolder(
  { claimedBy }: Task,
  which: { readonly isOtherInstance?: true } = {},
): Extract<Decision, { kind: "refused" }> {
  return { kind: "refused", refusal: { code: "not_holder", claimedBy, ...which } };
}

function leaseLost(task: Task): Extract<Decision, { kind: "refused" }> {
  return { kind: "refused", refusal: { code: "lease_lost", attempt: task.attempt } };
}
