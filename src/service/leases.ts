/**
 * The leases of claims as this worker knows them: whether a claim has its lease, and why not. lease-writes.ts
 * writes them; docs/lease.md tells the whole story.
 */
import { type LeaseName, leaseKeyOf } from "../protocol/lease-key.ts";
import type { TaskOutline } from "../protocol/packed-fields.ts";
import type { LeaseState } from "../task/follow-up.ts";
import { CONNECTION_LOST, LEASE_EXPIRED, type Task } from "../task/task.ts";
import { connectionKey } from "./connection-key.ts";
import { type EndedLease, type KnownLease, LeaseIndex } from "./lease-index.ts";
import { LostConnections } from "./lost-connections.ts";
import { Outage } from "./outage.ts";
import type { Clock, ConnectionId, EndedEntry, Lease, Observe, ServiceContext } from "./ports.ts";
import type { ServiceSettings } from "./service-settings.ts";
import type { TaskIndex } from "./task-index.ts";

interface Origin {
  /** This worker made the claim. */
  readonly isOwn: boolean;
  readonly connection: ConnectionId | null;
}

/** A claim that has no lease yet, as far as this worker knows. */
interface Unleased extends Origin {
  /** Of the claim. With the epoch, it says which lease is missing. */
  readonly fencingToken: number;
  readonly epoch: number;
  readonly since: number;
  /** A marker up to this revision is older than the claim, so it is that of an earlier task of this id. */
  readonly olderUpTo: number;
}

const UNKNOWN_ORIGIN: Origin = { isOwn: false, connection: null };

export class Leases {
  readonly index: LeaseIndex;
  readonly outage: Outage;
  readonly lost: LostConnections;
  readonly #tasks: TaskIndex;
  readonly #settings: ServiceSettings;
  readonly #clock: Clock;
  readonly #observe: Observe;
  /** By task. */
  readonly #unleased = new Map<string, Unleased>();
  readonly #listeners: ((taskId: string) => void)[] = [];

  constructor(tasks: TaskIndex, context: ServiceContext) {
    const { settings, clock, observe } = context;
    this.#tasks = tasks;
    this.#settings = settings;
    this.#clock = clock;
    this.#observe = observe;
    this.lost = new LostConnections(settings.disconnectGraceMs, clock);
    this.index = new LeaseIndex(
      () => clock.steady(),
      (name) => isOver(name, tasks.get(name.taskId) ?? null, tasks.isCurrent),
      (end, known) => this.#judge(end, known),
    );
    const watches = [tasks.position, this.index.position];
    this.outage = new Outage(watches, settings.outageGraceMs, context, () => this.index.spared);
    this.outage.onChange(() => {
      if (this.outage.isOn) this.lost.forgetAll();
      if (this.outage.sees) this.index.forgetOver();
    });
    tasks.onChange(({ before, after }) => {
      const was = before?.status === "claimed" ? before : null;
      const is = after?.status === "claimed" ? after : null;
      if (was !== null && is !== null && keyOf(was) === keyOf(is)) return;
      // A worker that does not see everything may learn of a claim after the end of its lease.
      const olderUpTo = this.outage.sees ? this.index.position.revision : 0;
      if (is !== null) this.#noteUnleased(is, olderUpTo);
      if (was !== null) this.#forget(was);
    });
  }

  /** A client has lost its connection. Returns the tasks whose leases name it. */
  disconnected(connection: ConnectionId): string[] {
    if (this.outage.isOn) return [];
    this.lost.note(connection);
    const keys = [...this.index.ofConnection.get(connectionKey(connection))];
    return keys.flatMap((key) => this.index.get(key)?.lease.taskId ?? []);
  }

  /** This worker has made the claim. `connection`: whose loss is to end it. */
  claimed(task: Task, connection: ConnectionId | null): void {
    const live = this.index.get(keyOf(task));
    // The holder may have renewed it already, through another worker.
    if (live !== undefined && isOf(live.lease, task)) return;
    // While its watch is interrupted, this worker does not know which markers are older. Then it is better to give
    // a dead holder another TTL than to take the claim from a live one.
    const olderUpTo = this.index.isCurrent ? this.index.position.revision : Infinity;
    this.#noteUnleased(task, olderUpTo, { isOwn: true, connection });
    for (const listener of this.#listeners) listener(task.taskId);
  }

  /** Calls the listener for each claim that this worker has made. It must not throw. */
  onClaimed(listener: (taskId: string) => void): void {
    this.#listeners.push(listener);
  }

  /** Who made a claim that has no lease yet, and the connection that it names. */
  originOf({ taskId, fencingToken }: TaskOutline): Origin {
    const known = this.#unleased.get(taskId);
    return known?.fencingToken === fencingToken ? known : UNKNOWN_ORIGIN;
  }

  /** The state of the lease of the task's claim; `null`: nobody holds the task. */
  stateOf(task: TaskOutline): LeaseState | null {
    if (task.status !== "claimed") return null;
    const key = keyOf(task);
    const live = this.index.get(key);
    if (live !== undefined && isOf(live.lease, task)) {
      this.#unleased.delete(task.taskId);
      return { kind: "live", endsAt: this.lost.endOf(live.lease.connection) };
    }
    const known = this.#unleased.get(task.taskId);
    const unleased = isMissing(known, task) ? known : this.#noteUnleased(task, 0);
    const ended = this.index.ended(key);
    const seen = live ?? ended?.known ?? null;
    const isUsed =
      seen === null
        ? ended !== undefined && ended.revision <= unleased.olderUpTo
        : !isOf(seen.lease, task);
    if (ended !== undefined && !isUsed) return this.#endedState(ended, unleased);
    const { since, isOwn, connection } = unleased;
    return { kind: "missing", since, isOwn, namesConnection: connection !== null, isUsed };
  }

  /** The live leases of claims of the task that are over. */
  oldOf(taskId: string, task: TaskOutline | null): KnownLease[] {
    const keys = this.index.ofTask.get(taskId);
    // Most tasks have none, or just that of their claim.
    if (keys.size === 0) return [];
    return [...keys].flatMap((key) => {
      const known = this.index.get(key);
      return known !== undefined && isOver(known.lease, task, true) ? [known] : [];
    });
  }

  /**
   * Whether this worker has seen the claim of the lease, or what followed it. The fencing token is the revision
   * of the record that the claim replaced.
   */
  knowsClaimOf({ taskId, fencingToken }: Lease): boolean {
    return (this.#tasks.get(taskId)?.revision ?? 0) > fencingToken;
  }

  /** The lease of a claim; an estimate while this worker has not seen it. */
  describe(task: Task): { readonly lease: Lease; readonly expiresAt: number } {
    const key = keyOf(task);
    const found = this.index.get(key) ?? this.index.ended(key)?.known ?? null;
    const seen = found !== null && isOf(found.lease, task) ? found : null;
    const lease = seen?.lease ?? this.leaseOf(task);
    const since = seen?.writtenAt ?? task.claimedAt ?? this.#clock.now();
    return { lease, expiresAt: since + lease.ttlSeconds * 1000 };
  }

  /** Whether the session of the task's claim is known to know that it holds the task. */
  isConfirmed(taskId: string): boolean {
    const task = this.#tasks.get(taskId)?.task;
    return task !== undefined && this.describe(task).lease.confirmed;
  }

  /** The first lease of the task's claim. */
  leaseOf(task: TaskOutline): Lease {
    return {
      taskId: task.taskId,
      attempt: task.attempt,
      epoch: task.leaseEpoch,
      sessionId: task.claimedBy ?? "",
      fencingToken: task.fencingToken,
      ttlSeconds: task.ttlSeconds ?? this.#settings.defaultTtlSeconds,
      confirmed: false,
      progress: null,
      connection: null,
    };
  }

  /** A claim that goes on in the next epoch keeps its origin. */
  #noteUnleased(
    task: TaskOutline,
    olderUpTo: number,
    { isOwn, connection }: Origin = this.originOf(task),
  ): Unleased {
    const { taskId, fencingToken, leaseEpoch: epoch } = task;
    const since = this.#clock.steady();
    const unleased = { fencingToken, epoch, since, isOwn, connection, olderUpTo };
    this.#unleased.set(taskId, unleased);
    return unleased;
  }

  #endedState(
    { known, isSpared, how, since: endedAt }: EndedLease,
    { since }: Unleased,
  ): LeaseState {
    const reason = how === "disconnected" ? CONNECTION_LOST : LEASE_EXPIRED;
    const graceEndsAt = isSpared ? this.outage.graceEndsAt : -Infinity;
    if (known !== null) return { kind: "ended", reason, sparedUntil: graceEndsAt };
    // Nobody can say whether it ended in an outage. Or it is that of an earlier task, and the worker that has
    // made the claim is about to begin the next epoch.
    const { leaseGraceMs, outageGraceMs } = this.#settings;
    const ownGrace = Math.max(endedAt, since) + Math.max(outageGraceMs, leaseGraceMs);
    return { kind: "ended", reason, sparedUntil: Math.max(graceEndsAt, ownGrace) };
  }

  #judge(end: EndedEntry, known: KnownLease | null): boolean {
    const isSpared = this.outage.spares(end, known);
    const { taskId, attempt } = end.name;
    if (isSpared && known !== null) this.#observe({ kind: "lease_spared", taskId, attempt });
    return isSpared;
  }

  #forget(claim: TaskOutline): void {
    this.index.forgetEnded(keyOf(claim));
    if (isMissing(this.#unleased.get(claim.taskId), claim)) this.#unleased.delete(claim.taskId);
  }
}

/** The name of the lease that a claimed task is to have. */
export function nameOf({ taskId, attempt, leaseEpoch: epoch }: TaskOutline): LeaseName {
  return { taskId, attempt, epoch };
}

function keyOf(claim: TaskOutline): string {
  return leaseKeyOf(nameOf(claim));
}

/** Whether the lease is that of the claim, and not of one with the same name of an earlier task of this id. */
export function isOf(lease: Lease, task: Pick<Task, "fencingToken">): boolean {
  return lease.fencingToken === task.fencingToken;
}

/** Whether it is the lease of this claim that is missing. */
function isMissing(unleased: Unleased | undefined, claim: TaskOutline): unleased is Unleased {
  return unleased?.fencingToken === claim.fencingToken && unleased.epoch === claim.leaseEpoch;
}

/** Whether the claim of the lease is over. It is not if the record of the task may just not be known yet. */
function isOver(name: LeaseName, task: TaskOutline | null, knowsAllTasks: boolean): boolean {
  if (task === null) return knowsAllTasks;
  if (name.attempt !== task.attempt) return name.attempt < task.attempt;
  return task.status !== "claimed" || name.epoch < task.leaseEpoch;
}
