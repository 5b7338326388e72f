/**
 * Compares leases with claims. Both change all the time, so what does not fit is looked at again before it
 * is reported.
 */
import type { Calls } from "../../client/calls.ts";
import { type LeaseName, leaseKeyOf, parseLeaseKey } from "../../protocol/lease-key.ts";
import type { StoredLease } from "../../nats/inspection/stored-entries.ts";
import { briefOf } from "./task-facts.ts";
import type { HeldTask, LeaseFacts, TaskBrief, TasksFacts } from "./verdicts/tasks.ts";

/** A worker gives a claim without a lease one after the setting `lease_grace_ms`, 3 s by default. */
const LEASE_GRACE_MS = 10_000;
/** So many of what does not fit are looked at again. The first ones are enough to find the cause. */
const MOST = 50;

/** Where the current state of one task is read. */
export interface LeaseSource {
  readonly calls: Calls;
  readLease(name: LeaseName): Promise<StoredLease | null>;
}

/**
 * @param leases by their keys
 * @param now of the server, in epoch milliseconds
 */
export async function compareLeases(
  leases: ReadonlyMap<string, StoredLease>,
  tasks: TasksFacts,
  now: number,
  source: LeaseSource,
): Promise<LeaseFacts> {
  const keysWithoutClaim = await stillSo(suspectLeases(leases, tasks), async (key) => {
    const name = parseLeaseKey(key);
    if (name === null || (await source.readLease(name)) === null) return false;
    return !isLeaseOf(name, await currentOf(source.calls, name.taskId));
  });
  const withoutClaim = keysWithoutClaim.map((key) => leases.get(key)?.taskId ?? key);
  const claimsWithoutLease = await stillSo(suspectClaims(leases, tasks, now), async (taskId) => {
    const task = await currentOf(source.calls, taskId);
    if (task === undefined || !isOldClaim(task, now)) return false;
    return (await source.readLease(leaseNameOf(taskId, task))) === null;
  });
  return { leases: leases.size, withoutClaim, claimsWithoutLease };
}

/** The keys of leases of tasks that are not claimed, or are claimed under another attempt. */
export function suspectLeases(
  leases: ReadonlyMap<string, StoredLease>,
  { byId, isComplete }: TasksFacts,
): string[] {
  return [...leases]
    .filter(([, lease]) => isComplete || byId.has(lease.taskId))
    .filter(([, lease]) => !isLeaseOf(lease, byId.get(lease.taskId)))
    .map(([key]) => key);
}

/** Claims that have been there for a while and have no lease. */
export function suspectClaims(
  leases: ReadonlyMap<string, StoredLease>,
  { byId }: TasksFacts,
  now: number,
): string[] {
  return [...byId]
    .filter(([, task]) => isOldClaim(task, now))
    .filter(([taskId, task]) => !leases.has(leaseKeyOf(leaseNameOf(taskId, task))))
    .map(([taskId]) => taskId);
}

/** The claims that are older than `overdueMs` and have never reported progress. */
export function idleClaims(
  leases: ReadonlyMap<string, StoredLease>,
  { byId }: TasksFacts,
  now: number,
  overdueMs: number,
): HeldTask[] {
  return [...byId].flatMap(([taskId, task]) => {
    const { status, claimedAt, claimedBy } = task;
    const heldMs = now - (claimedAt ?? now);
    const isIdle = status === "claimed" && heldMs > overdueMs;
    if (!isIdle || leases.get(leaseKeyOf(leaseNameOf(taskId, task)))?.hasProgress) return [];
    return [{ taskId, session: claimedBy ?? "", heldMs }];
  });
}

function leaseNameOf(taskId: string, { attempt, leaseEpoch: epoch }: TaskBrief): LeaseName {
  return { taskId, attempt, epoch };
}

function isLeaseOf({ attempt, epoch }: LeaseName, task: TaskBrief | undefined): boolean {
  return task?.status === "claimed" && task.attempt === attempt && task.leaseEpoch === epoch;
}

function isOldClaim(task: TaskBrief | undefined, now: number): boolean {
  return task?.status === "claimed" && now - (task.claimedAt ?? now) > LEASE_GRACE_MS;
}

async function currentOf(calls: Calls, taskId: string): Promise<TaskBrief | undefined> {
  try {
    const { task } = await calls.call("tasks.get", taskId, () => ({}));
    return briefOf(task);
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
