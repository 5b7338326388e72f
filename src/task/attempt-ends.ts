/**
 * How an attempt ends without completion: its holder gives the task back or reports a failure, its lease
 * is lost, or its session is replaced.
 */
import type { ExpiryReason, ReleaseCommand } from "./commands.ts";
import { type RetryPolicy, retryDelayMs } from "./retry-policy.ts";
import { type Cause, moved, unclaimed } from "./steps.ts";
import { SESSION_REPLACED, STOPPED_AS_ASKED, type Task } from "./task.ts";

/** The holder gives the task back, and may say when the next claim can come. This counts as no failure. */
export function giveBack(
  task: Task,
  { sessionId, notBefore = null, reason = null, principal }: ReleaseCommand,
  now: number,
): Task {
  const again: Task = { ...unclaimed(task), status: "available", notBefore };
  return moved(task, again, "task_released", now, { sessionId, reason, principal });
}

/** The holder reports a failure. Until `maxFailures` is reached, the task can be claimed again after a delay. */
export function failAttempt(
  task: Task,
  { error, retry, principal }: Pick<ReleaseCommand, "error" | "retry" | "principal">,
  { now, retryPolicy }: { readonly now: number; readonly retryPolicy: RetryPolicy },
): Task {
  const failures = task.failures + 1;
  const ended: Task = { ...unclaimed(task), failures, error };
  if (task.cancelRequested) {
    return stopped(task, ended, { reason: STOPPED_AS_ASKED, principal }, now);
  }
  const cause = { sessionId: task.claimedBy, principal };
  if (!retry || failures >= task.maxFailures) {
    return moved(task, { ...ended, status: "failed" }, "task_failed", now, cause);
  }
  const notBefore = now + retryDelayMs(retryPolicy, failures, task.taskId, task.attempt);
  const again: Task = { ...ended, status: "available", notBefore };
  return moved(task, again, "task_attempt_failed", now, cause);
}

/** The holder is gone. Until `maxLostLeases` is reached, the task is available at once. */
export function loseLease(task: Task, reason: ExpiryReason, now: number): Task {
  const lostLeases = task.lostLeases + 1;
  const { maxLostLeases } = task;
  const ended: Task = { ...unclaimed(task), lostLeases, error: reason };
  if (task.cancelRequested) return stopped(task, ended, { reason }, now);
  const cause = { sessionId: task.claimedBy, reason };
  if (maxLostLeases === 0 || lostLeases < maxLostLeases) {
    return moved(task, { ...ended, status: "available" }, "task_expired", now, cause);
  }
  const times = lostLeases === 1 ? "1 lease" : `${lostLeases} leases`;
  const error = `${reason}: the task has lost ${times}, and max_lost_leases is ${maxLostLeases}`;
  return moved(task, { ...ended, status: "failed", error }, "task_failed", now, cause);
}

/** Another process has taken over the holder's session. This counts as no failure and as no lost lease. */
export function giveUpReplaced(task: Task, now: number): Task {
  const ended = unclaimed(task);
  if (task.cancelRequested) return stopped(task, ended, { reason: SESSION_REPLACED }, now);
  const cause = { sessionId: task.claimedBy, reason: SESSION_REPLACED };
  return moved(task, { ...ended, status: "available" }, "task_released", now, cause);
}

/** The attempt of a task with a requested cancel has ended in some way, so the task is cancelled. */
export function stopped(
  task: Task,
  ended: Task,
  how: Pick<Cause, "reason" | "principal">,
  now: number,
): Task {
  const cause = { ...how, sessionId: task.claimedBy };
  return moved(task, { ...ended, status: "cancelled" }, "task_cancelled", now, cause);
}
