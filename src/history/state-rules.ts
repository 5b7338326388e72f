/** The rules for the last state of tasks: whether they fit their dependencies and their leases. */
import { leaseKeyOf } from "../protocol/lease-key.ts";
import type { Judge, Trail } from "./judge.ts";
import type { StateRuleName, Unchecked } from "./rules.ts";

/** A lease of the bucket `leases`, or what is left of it. */
export interface LeaseState {
  /** `false`: the lease has ended. */
  readonly isLive: boolean;
  /** By the clock of the NATS server, epoch milliseconds. */
  readonly writtenAt: number;
}

/** The workers' reaction to what they see. Within this time nothing counts as broken. */
export interface Patience {
  /** The last sign of a worker, by the clock of the NATS server, epoch milliseconds. */
  readonly lastWorkAt: number;
  readonly graceMs: number;
}

/** No patience: at rest, every worker has reacted. */
export const AT_REST: Patience = { lastWorkAt: Infinity, graceMs: 0 };

/** A task is blocked if one of its dependencies is not complete, and only then. */
export function judgeDependents(judge: Judge, patience: Patience): void {
  for (const [taskId, trail] of judge.judgedTrails()) {
    if (trail.past.kind !== "known") continue;
    const { task } = trail.past;
    if (task.status !== "blocked" && task.status !== "available") continue;
    const dependencies = task.dependsOn.map((id) => ({ id, trail: judge.trails.get(id) }));
    const unmet = dependencies.filter((dependency) => statusOf(dependency.trail) !== "complete");
    const since = Math.max(0, ...[trail, ...dependencies.map((one) => one.trail)].map(writtenAtOf));
    const restsOn = [taskId, ...task.dependsOn];
    const isFollowed = (task.status === "blocked") === unmet.length > 0;
    const what =
      task.status === "blocked"
        ? "is still blocked, though all of its dependencies are complete"
        : `is available, though ${unmet.map(({ id }) => id).join(", ")} is not complete`;
    note(judge, "dependents_follow", taskId, trail, {
      what: isFollowed ? null : what,
      restsOn,
      since,
      patience,
    });
  }
}

/**
 * Every claim has its lease. The bucket `leases` has no history, so this holds for the moment only.
 *
 * @param leases by their keys
 */
export function judgeLeases(
  judge: Judge,
  leases: ReadonlyMap<string, LeaseState>,
  patience: Patience,
): void {
  for (const [taskId, trail] of judge.judgedTrails()) {
    if (trail.past.kind !== "known" || trail.past.task.status !== "claimed") continue;
    const { attempt, leaseEpoch, claimedBy } = trail.past.task;
    const lease = leases.get(leaseKeyOf({ taskId, attempt, epoch: leaseEpoch }));
    const what = `is claimed by ${claimedBy ?? ""} (attempt ${attempt}) without a lease`;
    // The marker of the lease, or the claim itself, tells how long there has been none at least.
    const since = Math.max(trail.past.leasedAt ?? writtenAtOf(trail), lease?.writtenAt ?? 0);
    note(judge, "claims_leased", taskId, trail, {
      what: lease?.isLive === true ? null : what,
      restsOn: [taskId],
      since,
      patience,
    });
  }
}

/** Notes that nobody can say whether claims have their leases. */
export function uncheckedLeases(judge: Judge): void {
  for (const [taskId, { past }] of judge.judgedTrails()) {
    if (past.kind !== "known" || past.task.status !== "claimed") continue;
    judge.tally.unchecked("claims_leased", taskId, "unread");
  }
}

interface Found {
  /** `null`: the rule is kept. */
  readonly what: string | null;
  readonly restsOn: readonly string[];
  /** When the state began. */
  readonly since: number;
  readonly patience: Patience;
}

function note(
  { tally }: Judge,
  rule: StateRuleName,
  taskId: string,
  trail: Trail,
  { what, restsOn, since, patience }: Found,
): void {
  const why = what === null ? null : excuseOf(since, patience);
  if (why !== null) {
    tally.unchecked(rule, taskId, why);
    return;
  }
  tally.checked(rule);
  if (what === null) return;
  const { revision, writtenAt } = trail;
  const sessionId = trail.past.kind === "known" ? trail.past.task.claimedBy : null;
  const at = { taskId, revision, writtenAt, sessionId, isByHand: false };
  tally.violated({ rule, ...at, what, restsOn });
}

/** A worker that has written something this long afterwards has had the time to react. */
function excuseOf(since: number, { lastWorkAt, graceMs }: Patience): Unchecked | null {
  return lastWorkAt - since >= graceMs ? null : "idle";
}

function statusOf(trail: Trail | undefined): string | undefined {
  return trail?.past.kind === "known" ? trail.past.task.status : undefined;
}

function writtenAtOf(trail: Trail | undefined): number {
  return trail?.writtenAt ?? 0;
}
