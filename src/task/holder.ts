/** Who holds a task, how its last claim ended, and the refusal for a session that does not hold it. */
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
 * Whether the session made the current claim, and with this instance. `null` accepts every instance of
 * the session.
 */
export function isClaimOf(task: Task, sessionId: string, instance: string | null): boolean {
  const isSame = instance === null || instance === task.claimInstance;
  return task.status === "claimed" && task.claimedBy === sessionId && isSame;
}

/** Whether another process of the session made the claim. */
export function isOfOtherInstance(
  { claimInstance }: Pick<Task, "claimInstance">,
  instance: string | null,
): boolean {
  return instance !== null && claimInstance !== null && instance !== claimInstance;
}

/**
 * The refusal for a session that does not hold the task under this attempt and with this instance; `null`
 * if it does hold the task. An attempt or an instance that is `null` is not compared.
 *
 * The refusal is `lease_lost` for an attempt that is not the current one or whose claim has ended: the
 * session may have held it once. For everything else it is `not_holder`.
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
 * How a claim ended. `stopped`: the holder ended it because a cancel was requested. `replaced`, `cancelled`
 * and `requeued`: the task was taken from its holder.
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

/** How the event ended a claim; `null` if it ended none. */
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
