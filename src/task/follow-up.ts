/**
 * What has to be done for a task without a request, as one pure function. `transition` decides what a command
 * does to a task; `followUp` decides which command, or which write of a lease, is due.
 *
 * Every worker asks this for every task that changes, and does what it answers. All of it is idempotent, so
 * several workers can do the same.
 *
 * A claim and its lease:
 *
 * missing  The claim has no lease yet. The worker that made the claim writes one after a moment, and at once if
 *          the lease is short or names a connection. Any other worker writes one when the claim has been without
 *          a lease for the grace period: the worker that made the claim may have died. If an earlier task of the
 *          same id has used the key of the lease, the claim gets its lease in the next epoch.
 * live     Nothing is due, unless the lease names a connection that is lost: after a grace period the lease
 *          ends. Not in an outage, because then the session may have lost its connection with everybody else.
 * ended    The claim is taken back: at once, or after the grace of an outage if the holder could not renew.
 *
 * A lease of a claim that is over is purged when nothing else is due. A task whose status contradicts its
 * dependencies is corrected. A claim of a process that another one has replaced is taken back. A finished task
 * that is older than the retention time is removed, unless another one still needs it.
 */
import type { ExpiryReason } from "./commands.ts";
import type { Task } from "./task.ts";

/** Most claims that are over within this time never need a lease. */
const GRANT_AFTER_MS = 1_000;
/** But well before other workers think that the lease is missing. */
const GRANT_AFTER_PART = 1 / 3;
/** A lease as short as this is written at once: a second would be much of it. */
const SHORT_TTL_SECONDS = 5;

/** What a worker knows about the lease of a task's current claim. Times are those of its steady clock. */
export type LeaseState =
  | {
      readonly kind: "missing";
      /** Since when the worker knows the claim without a lease. */
      readonly since: number;
      /** This worker made the claim. */
      readonly isOwn: boolean;
      /** The claim is to end with its connection. */
      readonly namesConnection: boolean;
      /** An earlier task of this id has used the key of the lease. */
      readonly isUsed: boolean;
    }
  /** `endsAt`: when its lost connection ends it; `null`: the connection is not lost, or it names none. */
  | { readonly kind: "live"; readonly endsAt: number | null }
  /** `sparedUntil`: the end of the grace that its holder has. */
  | { readonly kind: "ended"; readonly reason: ExpiryReason; readonly sparedUntil: number };

/** `finishedAt`: when the task finished, epoch milliseconds; `null` if it has not. */
export type FollowedTask = Pick<Task, "status" | "ttlSeconds"> & {
  readonly finishedAt: number | null;
};

/** Everything that the decision depends on. What takes long to find out is asked for only if it is needed. */
export interface Situation {
  /** `null`: there is no such task. */
  readonly task: FollowedTask | null;
  /** The lease of the current claim; `null`: nobody holds the task. */
  readonly lease: LeaseState | null;
  /** Whether there are leases of claims of this task that are over. */
  readonly hasOldLeases: boolean;
  /** Whether another process of the holder's session has replaced the one that made the claim. */
  readonly isReplaced: boolean;
  /** An outage lasts, or its grace does. */
  readonly isOutage: boolean;
  /** Whether a dependency is not complete. */
  readonly isWaiting: () => boolean;
  /** Whether a task that is not complete depends on this one. */
  readonly isNeeded: () => boolean;
}

export interface Timing {
  /** By the steady clock of the worker. */
  readonly steady: number;
  /** Epoch milliseconds. */
  readonly now: number;
  readonly leaseGraceMs: number;
  /** `Infinity`: finished tasks stay. */
  readonly retentionMs: number;
}

export type FollowUp =
  /** Write the lease of the claim. */
  | { readonly kind: "grant" }
  /** Begin the lease of the claim again in the next epoch. */
  | { readonly kind: "begin_again" }
  /** Purge the leases of claims that are over. */
  | { readonly kind: "purge" }
  /** End the lease of the claim because its connection is lost. */
  | { readonly kind: "disconnect" }
  /** Take the claim back: its lease is over. */
  | { readonly kind: "expire"; readonly reason: ExpiryReason }
  /** Take the claim back: another process has replaced its holder. */
  | { readonly kind: "replace" }
  | { readonly kind: "settle_dependencies" }
  /** Remove the task and its history. */
  | { readonly kind: "retire" };

/** Nothing is due now, but something may be at this time of the steady clock. */
export interface Later {
  readonly kind: "again";
  readonly at: number;
}

/** `null`: nothing is due until something changes. */
export function followUp(situation: Situation, timing: Timing): FollowUp | Later | null {
  const due = followTask(situation, timing);
  if (due !== null && due.kind !== "again") return due;
  // These come last, because they need other streams than that of the tasks: if one fails again and again, it must
  // not hold up what is due for the task.
  if (situation.isReplaced) return { kind: "replace" };
  return situation.hasOldLeases ? { kind: "purge" } : due;
}

function followTask(situation: Situation, timing: Timing): FollowUp | Later | null {
  const { task } = situation;
  if (task === null) return null;
  switch (task.status) {
    case "claimed":
      return followLease(task, situation, timing);
    case "blocked":
      return situation.isWaiting() ? null : { kind: "settle_dependencies" };
    case "available":
      return situation.isWaiting() ? { kind: "settle_dependencies" } : null;
    default:
      return isOld(task, timing) && !situation.isNeeded() ? { kind: "retire" } : null;
  }
}

function followLease(
  task: FollowedTask,
  { lease, isOutage }: Situation,
  { steady, leaseGraceMs }: Timing,
): FollowUp | Later | null {
  switch (lease?.kind) {
    case "missing": {
      const at = lease.since + (lease.isOwn ? ownDelay(task, lease, leaseGraceMs) : leaseGraceMs);
      if (at > steady) return { kind: "again", at };
      return { kind: lease.isUsed ? "begin_again" : "grant" };
    }
    case "live":
      if (lease.endsAt === null || isOutage) return null;
      return lease.endsAt <= steady ? { kind: "disconnect" } : { kind: "again", at: lease.endsAt };
    case "ended":
      return lease.sparedUntil <= steady
        ? { kind: "expire", reason: lease.reason }
        : { kind: "again", at: lease.sparedUntil };
    case undefined:
      return null;
  }
}

function ownDelay(
  { ttlSeconds }: FollowedTask,
  { namesConnection }: { readonly namesConnection: boolean },
  leaseGraceMs: number,
): number {
  const isUrgent = namesConnection || (ttlSeconds ?? 0) <= SHORT_TTL_SECONDS;
  return isUrgent ? 0 : Math.min(GRANT_AFTER_MS, leaseGraceMs * GRANT_AFTER_PART);
}

function isOld({ finishedAt }: FollowedTask, { now, retentionMs }: Timing): boolean {
  return (finishedAt ?? Infinity) + retentionMs <= now;
}
