/**
 * Compares leases with claims. Both change all the time, so what does not fit is looked at again before it
 * is reported.
 */
import type { Calls } from "../../client/calls.ts";
import type { StoredLease } from "../../nats/inspection/stored-entries.ts";
import type { HeldTask, LeaseFacts, TaskBrief, TasksFacts } from "./verdicts/tasks.ts";

/** A worker gives a claim without a lease one after the setting `lease_grace_ms`, 3 s by default. */
const LEASE_GRACE_MS = 10_000;
/** So many of what does not fit are looked at again. The first ones are enough to find the cause. */
const MOST = 50;

/** Where the current state of one task is read. */
export interface LeaseSource {
  readonly calls: Calls;
  readLease(taskId: string): Promise<StoredLease | null>;
}

/** @param now of the server, in epoch milliseconds */
export async function compareLeases(
  leases: ReadonlyMap<string, StoredLease>,
  tasks: TasksFacts,
  now: number,
  source: LeaseSource,
): Promise<LeaseFacts> {
  const withoutClaim = await stillSo(suspectLeases(leases, tasks), async (taskId) => {
    const [lease, task] = [await source.readLease(taskId), await currentOf(source.calls, taskId)];
    return lease !== null && !isLeaseOf(lease, task);
  });
  const claimsWithoutLease = await stillSo(suspectClaims(leases, tasks, now), async (taskId) => {
    const [task, lease] = [await currentOf(source.calls, taskId), await source.readLease(taskId)];
    return isOldClaim(task, now) && (lease === null || !isLeaseOf(lease, task));
  });
  return { leases: leases.size, withoutClaim, claimsWithoutLease };
}

/** Leases of tasks that are not claimed, or are claimed under another attempt. */
export function suspectLeases(
  leases: ReadonlyMap<string, StoredLease>,
  { byId, isComplete }: TasksFacts,
): string[] {
  return [...leases.values()]
    .filter((lease) => isComplete || byId.has(lease.taskId))
    .filter((lease) => !isLeaseOf(lease, byId.get(lease.taskId)))
    .map(({ taskId }) => taskId);
}

/** Claims that have been there for a while and have no lease. */
export function suspectClaims(
  leases: ReadonlyMap<string, StoredLease>,
  { byId }: TasksFacts,
  now: number,
): string[] {
  return [...byId]
    .filter(([, task]) => isOldClaim(task, now))
    .filter(([taskId, task]) => {
      const lease = leases.get(taskId);
      return lease === undefined || !isLeaseOf(lease, task);
    })
    .map(([taskId]) => taskId);
}

/** The claims that are older than `overdueMs` and have never reported progress. */
export function idleClaims(
  leases: ReadonlyMap<string, StoredLease>,
  { byId }: TasksFacts,
  now: number,
  overdueMs: number,
): HeldTask[] {
  return [...byId].flatMap(([taskId, { status, claimedAt, claimedBy }]) => {
    const heldMs = now - (claimedAt ?? now);
    const isIdle = status === "claimed" && heldMs > overdueMs;
    if (!isIdle || leases.get(taskId)?.hasProgress === true) return [];
    return [{ taskId, session: claimedBy ?? "", heldMs }];
  });
}

function isLeaseOf(lease: StoredLease, task: TaskBrief | undefined): boolean {
  return task?.status === "claimed" && task.attempt === lease.attempt;
}

function isOldClaim(task: TaskBrief | undefined, now: number): boolean {
  return task?.status === "claimed" && now - (task.claimedAt ?? now) > LEASE_GRACE_MS;
}

async function currentOf(calls: Calls, taskId: string): Promise<TaskBrief | undefined> {
  try {
    const { task } = await calls.call("tasks.get", taskId, () => ({}));
    const { status, depends_on: dependsOn, requires, claimed_by: claimedBy, attempt } = task;
    const claimedAt = task.claimed_at === null ? null : Date.parse(task.claimed_at);
    return { status, dependsOn, requires, claimedBy, attempt, claimedAt };
  } catch {
    // It was removed, or cannot be read: then nobody holds it.
    return undefined;
  }
}

async function stillSo(
  taskIds: readonly string[],
  check: (taskId: string) => Promise<boolean>,
): Promise<string[]> {
  const confirmed: string[] = [];
  for (const taskId of taskIds.slice(0, MOST)) {
    if (await check(taskId)) confirmed.push(taskId);
  }
  return [
    ...confirmed,
    ...(taskIds.length > MOST && confirmed.length > 0 ? taskIds.slice(MOST) : []),
  ];
}
