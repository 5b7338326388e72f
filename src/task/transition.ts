/**
 * The state machine of a task, as one pure function.
 *
 * blocked    A dependency is incomplete. A task becomes blocked when it is created, by an update of
 *            `depends_on`, by a requeue, or when a complete dependency is requeued. It becomes available
 *            when its last dependency completes.
 * available  Any session with the required capabilities can claim it, once `notBefore` has passed. A
 *            creation or an update sets `notBefore` to schedule the task, and a failed attempt to delay
 *            it. A claim clears `notBefore`.
 * claimed    Exactly one session holds it, under the current `attempt`. Only a claim leads here, and only
 *            a claim raises `attempt` and sets `fencingToken`. The claim ends by the holder's release, by
 *            the expiry of its lease (its time is over, or its session's connection is lost), because
 *            another process takes over the session, by a forced cancel, or by a requeue. While the task
 *            is still claimed, a lease that is over can begin again, which raises `leaseEpoch`: an expiry
 *            names the epoch that it ends. A claimed task stays claimed when a dependency is requeued,
 *            because its work has begun.
 * complete   Its holder completed it, or it was imported as complete. Finished.
 * failed     `failures` reached `maxFailures`, `lostLeases` reached `maxLostLeases` (if that is not 0),
 *            or the holder refused a retry. Finished.
 * cancelled  Someone cancelled it, or it was imported as cancelled. The holder of a claimed task is first
 *            asked to stop (`cancelRequested`). The task becomes cancelled when its attempt ends without
 *            completion. Finished.
 *
 * Only a requeue brings a finished task back. It clears the failures and the lost leases, but goes on
 * counting `attempt`. A failure is what a holder reports. An expiry says nothing about the work, so it
 * counts as a lost lease. A release with `available` counts as neither, and so does the end of a claim
 * whose session was replaced. A failed attempt delays the next claim. A release with `available` delays it
 * if the holder wants that. An expiry does not, because the lease was delay enough.
 */
import { failAttempt, giveBack, giveUpReplaced, loseLease, stopped } from "./attempt-ends.ts";
import type {
  CancelCommand,
  ClaimCommand,
  Command,
  Decision,
  ExpireCommand,
  ReleaseCommand,
  ReleaseOutcome,
  ReplaceSessionCommand,
  RequeueCommand,
  ReviveCommand,
  UpdateCommand,
} from "./commands.ts";
import { missingCapabilities } from "./eligibility.ts";
import { type EndOfClaim, endOfClaim, holderRefusal, isClaimOf } from "./holder.ts";
import type { RetryPolicy } from "./retry-policy.ts";
import { alreadyClaimed, moved, unavailable, unclaimed, UNCHANGED, write } from "./steps.ts";
import {
  isFinished,
  LEASE_EXPIRED,
  LEASE_HAD_RUN_OUT,
  STOPPED_AS_ASKED,
  type Task,
  type TaskStatus,
} from "./task.ts";

export interface TransitionContext {
  readonly now: number;
  /** The revision of the record that a write replaces. */
  readonly revision: number;
  readonly retryPolicy: RetryPolicy;
}

export function transition(task: Task, command: Command, context: TransitionContext): Decision {
  switch (command.type) {
    case "claim":
      return claim(task, command, context);
    case "release":
      return release(task, command, context);
    case "expire":
      return expire(task, command, context.now);
    case "replace_session":
      return replaceSession(task, command, context.now);
    case "revive":
      return revive(task, command, context.now);
    case "settle_dependencies":
      return settleDependencies(task, command.unmet, context.now);
    case "update":
      return update(task, command, context.now);
    case "cancel":
      return cancel(task, command, context.now);
    case "requeue":
      return requeue(task, command, context.now);
  }
}

function claim(task: Task, command: ClaimCommand, { now, revision }: TransitionContext): Decision {
  if (task.status === "claimed") {
    if (isClaimOf(task, command.sessionId, command.instance)) return UNCHANGED;
    return alreadyClaimed(task, command.sessionId);
  }
  if (task.status !== "available") return unavailable(task.status);
  if (task.notBefore !== null && task.notBefore > now) {
    return {
      kind: "refused",
      refusal: { code: "not_available", reason: "not_due", notBefore: task.notBefore },
    };
  }
  const missing = missingCapabilities(task.requires, command.capabilities);
  if (missing.length > 0) {
    return { kind: "refused", refusal: { code: "missing_capabilities", missing } };
  }
  const claimed: Task = {
    ...task,
    status: "claimed",
    claimedBy: command.sessionId,
    claimedAt: now,
    ttlSeconds: command.ttlSeconds,
    claimRequest: command.claimRequest,
    claimInstance: command.instance,
    attempt: task.attempt + 1,
    fencingToken: revision,
    leaseEpoch: 0,
    notBefore: null,
  };
  const { sessionId, principal } = command;
  return write(moved(task, claimed, "task_claimed", now, { sessionId, principal }));
}

function release(task: Task, command: ReleaseCommand, context: TransitionContext): Decision {
  const refused = holderRefusal(task, command.sessionId, command.attempt, command.instance);
  if (refused !== null) return isRepeated(task, command) ? UNCHANGED : refused;

  const { now } = context;
  const { sessionId, principal } = command;
  const cause = { sessionId, principal };
  switch (command.outcome) {
    case "complete": {
      const complete: Task = {
        ...unclaimed(task),
        status: "complete",
        result: command.result,
        error: null,
        completedAt: now,
        completedBy: command.sessionId,
      };
      return write(moved(task, complete, "task_completed", now, cause));
    }
    case "available":
      if (task.cancelRequested) {
        const how = { reason: STOPPED_AS_ASKED, principal };
        return write(stopped(task, unclaimed(task), how, now));
      }
      return write(giveBack(task, command, now));
    case "failed":
      return write(failAttempt(task, command, context));
  }
}

function expire(task: Task, command: ExpireCommand, now: number): Decision {
  const { status, attempt, leaseEpoch } = task;
  const isThis = attempt === command.attempt && leaseEpoch === command.epoch;
  if (status !== "claimed" || !isThis) return UNCHANGED;
  return write(loseLease(task, command.reason ?? LEASE_EXPIRED, now));
}

function replaceSession(task: Task, command: ReplaceSessionCommand, now: number): Decision {
  if (task.status !== "claimed" || task.attempt !== command.attempt) return UNCHANGED;
  return write(giveUpReplaced(task, now));
}

/** The opposite of `expire`: when one of the two is written, the other one finds nothing to do. */
function revive(task: Task, command: ReviveCommand, now: number): Decision {
  const { sessionId, ttlSeconds, principal } = command;
  const refused = holderRefusal(task, sessionId, command.attempt);
  if (refused !== null) return refused;
  if (task.leaseEpoch !== command.epoch) return UNCHANGED;
  const revived = { ...task, ttlSeconds, leaseEpoch: task.leaseEpoch + 1 };
  const cause = { sessionId, reason: LEASE_HAD_RUN_OUT, principal };
  return write(moved(task, revived, "task_renewed", now, cause));
}

/** How a claim ends by a release with each outcome. */
const ENDS_OF_RELEASE: Record<ReleaseOutcome, readonly EndOfClaim[]> = {
  available: ["released", "stopped"],
  complete: ["completed"],
  failed: ["failed", "stopped"],
};

/** Whether exactly this release has happened already, and the holder repeats it because it got no reply. */
function isRepeated(task: Task, command: ReleaseCommand): boolean {
  const end = endOfClaim(task.lastEvent);
  if (end === null || task.lastEvent?.sessionId !== command.sessionId) return false;
  if (command.attempt !== null && command.attempt !== task.attempt) return false;
  return ENDS_OF_RELEASE[command.outcome].includes(end);
}

function settleDependencies(task: Task, unmet: readonly string[], now: number): Decision {
  if (task.status === "blocked" && unmet.length === 0) {
    return write(moved(task, { ...task, status: "available" }, "task_unblocked", now));
  }
  if (task.status === "available" && unmet.length > 0) {
    return write(moved(task, { ...task, status: "blocked" }, "task_blocked", now));
  }
  return UNCHANGED;
}

function update(task: Task, command: UpdateCommand, now: number): Decision {
  if (isFinished(task.status)) return unavailable(task.status);
  const { dependsOn, notBefore } = command.changes;
  const changesStart = dependsOn !== undefined || notBefore !== undefined;
  if (task.status === "claimed" && changesStart) return alreadyClaimed(task);
  const status = dependsOn === undefined ? task.status : waitingStatus(command.unmet);
  return write(
    moved(task, { ...task, ...command.changes, status }, "task_updated", now, {
      sessionId: command.sessionId,
      principal: command.principal,
    }),
  );
}

function cancel(task: Task, command: CancelCommand, now: number): Decision {
  if (isFinished(task.status)) {
    return task.status === "cancelled" ? UNCHANGED : unavailable(task.status);
  }
  const { sessionId, reason, principal } = command;
  if (task.status === "claimed" && !command.force) {
    if (task.cancelRequested) return UNCHANGED;
    const asked = { ...task, cancelRequested: true };
    return write(
      moved(task, asked, "task_cancel_requested", now, { sessionId, reason, principal }),
    );
  }
  const cancelled: Task = { ...unclaimed(task), status: "cancelled" };
  const cause = { sessionId: task.claimedBy ?? sessionId, reason, principal };
  return write(moved(task, cancelled, "task_cancelled", now, cause));
}

function requeue(task: Task, command: RequeueCommand, now: number): Decision {
  if (task.status === "blocked") return unavailable("blocked");
  const isFresh = task.notBefore === null && task.failures === 0 && task.lostLeases === 0;
  if (task.status === "available" && isFresh) return UNCHANGED;
  const fresh: Task = {
    ...unclaimed(task),
    status: waitingStatus(command.unmet),
    failures: 0,
    lostLeases: 0,
    notBefore: null,
    result: null,
    error: null,
    completedAt: null,
    completedBy: null,
  };
  return write(
    moved(task, fresh, "task_requeued", now, {
      sessionId: task.claimedBy ?? command.sessionId,
      reason: command.reason,
      principal: command.principal,
    }),
  );
}

function waitingStatus(unmet: readonly string[]): TaskStatus {
  return unmet.length > 0 ? "blocked" : "available";
}
