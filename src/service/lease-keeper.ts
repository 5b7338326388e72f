/**
 * Leases: every claim gets one, the server ends it, and a claim whose lease has run out goes back to
 * the pool, unless its holder is faster.
 *
 * - A lease is written right after its claim, without holding up the reply. The later one wins, by
 *   attempt and epoch: a late write of an earlier one never replaces a later one.
 * - A claim that has been without a lease for the grace period gets one from any worker that notices,
 *   for its full TTL: the worker that made the claim may have died before it wrote the lease.
 * - A claim is taken back only by a worker that saw its lease alive and then saw the server's marker
 *   of its expiry, and only by compare-and-set on the record. No wall clocks are compared.
 * - Until then its holder can begin the lease again, by compare-and-set on the same record: it raises
 *   the epoch, and what was seen to run out is of an earlier one. The lease follows; if the worker dies
 *   before that, it is a claim without a lease as any other.
 * - A lease can name the connection of its session. A worker that hears that this is lost ends the lease
 *   by compare-and-set, as long as it names it; what follows is that of a lease that has run out.
 * - A lease whose claim is over is purged, at once by the worker that ended the claim, after the grace
 *   period by any other.
 *
 * All of it is idempotent, and every worker does it for all tasks: it needs no leader.
 */
import { hasCode } from "../protocol/errors.ts";
import { CONNECTION_LOST, LEASE_EXPIRED, type Task } from "../task/task.ts";
import { Disconnects } from "./disconnects.ts";
import type { BackgroundContext, Limiter } from "./background.ts";
import { Coalescer } from "./coalescer.ts";
import { compareLeases, isSameLease, leaseIdOf } from "./lease-id.ts";
import { LeaseIndex } from "./lease-index.ts";
import { LeaseRevivals } from "./lease-revivals.ts";
import { LeaseWrites, type Renewal } from "./lease-writes.ts";
import type { Clock, ConnectionId, Lease, LeaseStore, Observe, ServiceSettings } from "./ports.ts";
import { Reclaims } from "./reclaims.ts";
import type { TaskIndex } from "./task-index.ts";
import type { TaskAccess, TaskWriter } from "./task-writer.ts";
import { PerTaskQueue } from "./per-task-queue.ts";

/** The answer to a claim or a release does not wait for what follows for its lease. */
const COALESCE_MS = 5;
const CHECK_EVERY_MS = 250;
/** Workers notice claims that lack a lease at about the same time; mostly one is to write. */
const SETTLE_SPREAD_MS = 200;

export class LeaseKeeper {
  readonly leases: LeaseIndex;
  readonly #store: LeaseStore;
  readonly #writes: LeaseWrites;
  readonly #revivals: LeaseRevivals;
  readonly #tasks: TaskIndex;
  readonly #writer: TaskWriter;
  readonly #limiter: Limiter;
  readonly #settings: ServiceSettings;
  readonly #clock: Clock;
  readonly #observe: Observe;
  /** Claims without their lease, and leases without their claim, since when. */
  readonly #mismatched = new Map<string, number>();
  readonly #reclaims: Reclaims;
  readonly #disconnects: Disconnects;
  /** Lease writes under way. Those that fail are left to the next check. */
  readonly #writing: PerTaskQueue;
  readonly #coalescer = new Coalescer(COALESCE_MS);
  #timer: ReturnType<typeof setInterval> | null = null;
  #stopped = false;

  constructor(
    store: LeaseStore,
    { index: tasks, writer }: TaskAccess,
    { limiter, settings, clock, observe }: BackgroundContext,
  ) {
    this.#limiter = limiter;
    this.#store = store;
    this.#tasks = tasks;
    this.#writer = writer;
    this.#settings = settings;
    this.#clock = clock;
    this.#observe = observe;
    this.leases = new LeaseIndex((taskId) => {
      this.#compare(taskId);
    });
    this.#writing = new PerTaskQueue("lease", observe);
    this.#writes = new LeaseWrites(store, this.leases, clock, (connection) =>
      this.#disconnects.isLost(connection),
    );
    this.#revivals = new LeaseRevivals(this.#writes, writer);
    this.#reclaims = new Reclaims(
      [tasks.position, this.leases.position],
      settings.outageGraceMs,
      clock,
      observe,
      (taskId) => {
        this.#reclaim(taskId);
      },
    );
    this.#disconnects = new Disconnects(
      this.leases,
      settings.disconnectGraceMs,
      clock,
      () => this.#reclaims.isOutage,
      (taskId, key) => {
        this.#disconnect(taskId, key);
      },
    );
    tasks.onChange(({ taskId }) => {
      this.#compare(taskId);
    });
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#check();
    }, CHECK_EVERY_MS);
  }

  /** Resolves when the lease writes under way have ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#writing.drain();
  }

  /** The session behind this connection, if there is one, has a moment to name another one. */
  disconnected(connection: ConnectionId): void {
    this.#disconnects.note(connection);
  }

  /** Gives a fresh claim its lease, in the background. `connection`: whose loss is to end it. */
  grant(task: Task, connection: ConnectionId | null): void {
    const held = this.#leaseOf(task);
    if (held === null) return;
    const lease = { ...held, connection };
    this.#writing.add(lease.taskId, async () => {
      // A renewal by another worker that comes first would not name the connection.
      if (connection === null) await this.#coalescer.wait();
      if (await this.#writes.grant(lease, task.claimedAt ?? 0)) {
        this.#observe({ kind: "lease_granted", taskId: lease.taskId, attempt: lease.attempt });
      }
    });
  }

  /** Removes the lease of an attempt that is over, in the background. */
  end(taskId: string, attempt: number): void {
    this.#writing.add(taskId, async () => {
      await this.#coalescer.wait();
      const known = this.leases.get(taskId);
      if (known === undefined || known.lease.attempt > attempt) return;
      await this.#store.purge(taskId, known.revision);
    });
  }

  /** Resolves when what is being written about the task's lease here is written. */
  drain(taskId: string): Promise<void> {
    return this.#writing.drain(taskId);
  }

  /**
   * Starts the TTL of a claim's lease again, for its holder, and returns the task. If the lease has run
   * out, the record decides whether the claim is still there.
   *
   * @throws CoordinatorError `lease_lost`; `unavailable` while the state of the lease is not settled
   */
  renew(task: Task, ttlSeconds: number, renewal: Renewal = {}): Promise<Task> {
    const held = this.#leaseOf(task);
    if (held === null) throw new Error(`nobody holds ${task.taskId}`);
    return this.#revivals.renew(task, { ...held, ttlSeconds, confirmed: true }, renewal);
  }

  /**
   * Renews the lease of a claim whose session may not know of it; `false` if it is known to know, or if
   * the lease has run out. Of any number of workers that try, one succeeds.
   */
  async confirm(task: Task, connection?: ConnectionId): Promise<boolean> {
    const lease = this.#leaseOf(task);
    if (lease === null) return false;
    await this.drain(task.taskId);
    const { ttlSeconds } = this.describe(task);
    const { kind } = await this.#writes.renew(
      { ...lease, ttlSeconds, confirmed: true },
      { connection, isWanted: (found) => found?.kind !== "live" || !found.lease.confirmed },
    );
    return kind === "written";
  }

  /** The lease of a claim as replies show it; an estimate while this worker has not seen it. */
  describe(task: Task): { ttlSeconds: number; expiresAt: number } {
    const { taskId } = task;
    const seen = [this.leases.get(taskId), this.leases.expired(taskId)].find(
      (known) => known !== undefined && isSameLease(known.lease, leaseIdOf(task)),
    );
    const ttlSeconds =
      seen?.lease.ttlSeconds ?? task.ttlSeconds ?? this.#settings.defaultTtlSeconds;
    const since = seen?.writtenAt ?? task.claimedAt ?? this.#clock.now();
    return { ttlSeconds, expiresAt: since + ttlSeconds * 1000 };
  }

  /** Notes whether the task's claim and its lease fit together. */
  #compare(taskId: string): void {
    this.#disconnects.look(taskId);
    const task = this.#tasks.get(taskId)?.task;
    const held = task?.status === "claimed" ? leaseIdOf(task) : null;
    const live = this.leases.get(taskId)?.lease ?? null;
    const expired = this.leases.expired(taskId);
    if (expired !== undefined && isSameLease(expired.lease, held)) {
      this.#mismatched.delete(taskId);
      this.#reclaims.note(taskId, expired);
      return;
    }
    this.#reclaims.forget(taskId);
    // An earlier one is kept for a claim: it tells whose marker its own lease is written over.
    const isOver =
      task === undefined
        ? this.#tasks.isCurrent
        : held === null && task.attempt >= (expired?.lease.attempt ?? Infinity);
    if (expired !== undefined && isOver) this.leases.forgetExpired(taskId);
    if (isSameLease(live, held)) this.#mismatched.delete(taskId);
    else if (!this.#mismatched.has(taskId)) {
      const spread = this.#clock.random() * SETTLE_SPREAD_MS;
      this.#mismatched.set(taskId, this.#clock.now() + spread);
    }
  }

  #check(): void {
    if (!this.#tasks.isCurrent || !this.leases.isCurrent) return;
    const now = this.#clock.now();
    for (const [taskId, since] of this.#mismatched) {
      if (now - since < this.#settings.leaseGraceMs || this.#writing.isBusy(taskId)) continue;
      this.#mismatched.set(taskId, now);
      this.#writing.add(taskId, () => this.#limiter.run(() => this.#settle(taskId)));
    }
    this.#reclaims.check();
    this.#disconnects.check();
  }

  /** Makes claim and lease fit, by the leader's record. */
  async #settle(taskId: string): Promise<void> {
    // Known before the record is read: a lease of a higher attempt than that record's is none of a
    // newer claim, but one from before the record was replaced by hand.
    const known = this.leases.get(taskId);
    const task = await this.#currentTask(taskId);
    const lease = task === null ? null : this.#leaseOf(task);
    if (known !== undefined && (lease === null || compareLeases(known.lease, lease) > 0)) {
      await this.#store.purge(taskId, known.revision);
    } else if (lease !== null && (await this.#revivals.restore(lease))) {
      this.#observe({ kind: "lease_restored", taskId, attempt: lease.attempt });
    }
  }

  async #currentTask(taskId: string): Promise<Task | null> {
    try {
      return (await this.#writer.load(taskId)).task;
    } catch (error) {
      if (hasCode(error, "not_found")) return null;
      throw error;
    }
  }

  #disconnect(taskId: string, key: string): void {
    if (this.#stopped) return;
    this.#writing.add(taskId, () => this.#limiter.run(() => this.#writes.disconnect(taskId, key)));
  }

  #reclaim(taskId: string): void {
    const expired = this.leases.expired(taskId);
    if (this.#stopped || expired === undefined) return;
    const { attempt, epoch } = expired.lease;
    const [reason, kind] = expired.isDisconnected
      ? ([CONNECTION_LOST, "lease_disconnected"] as const)
      : ([LEASE_EXPIRED, "lease_expired"] as const);
    this.#writing.add(taskId, async () => {
      const { task, written } = await this.#limiter.run(() =>
        this.#writer.execute(taskId, { type: "expire", attempt, epoch, reason }),
      );
      if (written) this.#observe({ kind, taskId, attempt });
      // Meanwhile a later lease may have run out: that one is still to be reclaimed.
      if (this.leases.expired(taskId) !== expired) return;
      this.#reclaims.forget(taskId);
      if (task.status !== "claimed") this.leases.forgetExpired(taskId);
    });
  }

  #leaseOf(task: Task): Lease | null {
    if (task.status !== "claimed" || task.claimedBy === null) return null;
    return {
      taskId: task.taskId,
      sessionId: task.claimedBy,
      ...leaseIdOf(task),
      ttlSeconds: task.ttlSeconds ?? this.#settings.defaultTtlSeconds,
      confirmed: false,
      progress: null,
      connection: null,
    };
  }
}
