/**
 * Leases: every claim gets one, the server ends it, and a claim whose lease has run out goes back to
 * the pool.
 *
 * - A lease is written right after its claim, without holding up the reply. The higher attempt wins:
 *   a late write of an older one never replaces a newer one.
 * - A claim that has been without a lease for the grace period gets one from any worker that notices,
 *   for its full TTL: the worker that made the claim may have died before it wrote the lease.
 * - A claim is taken back only by a worker that saw its lease alive and then saw the server's marker
 *   of its expiry, and only by compare-and-set on the record. No wall clocks are compared.
 * - A lease whose claim is over is purged, at once by the worker that ended the claim, after the grace
 *   period by any other.
 *
 * All of it is idempotent, and every worker does it for all tasks: it needs no leader.
 */
import { hasCode } from "../protocol/errors.ts";
import type { Task } from "../task/task.ts";
import { LeaseIndex } from "./lease-index.ts";
import { LeaseWrites } from "./lease-writes.ts";
import type { Limiter } from "./limiter.ts";
import type { Clock, Lease, LeaseStore, Observe, ServiceSettings } from "./ports.ts";
import type { TaskIndex } from "./task-index.ts";
import type { TaskWriter } from "./task-writer.ts";

const CHECK_EVERY_MS = 250;
/** Workers see an expiry at the same moment; this spreads them, so that mostly one writes. */
const RECLAIM_SPREAD_MS = 50;
const RECLAIM_AGAIN_MS = 1_000;
/** The same for claims that lack a lease: workers notice these less exactly. */
const SETTLE_SPREAD_MS = 200;

export class LeaseKeeper {
  readonly leases: LeaseIndex;
  readonly #store: LeaseStore;
  readonly #writes: LeaseWrites;
  readonly #tasks: TaskIndex;
  readonly #writer: TaskWriter;
  readonly #limiter: Limiter;
  readonly #settings: ServiceSettings;
  readonly #clock: Clock;
  readonly #observe: Observe;
  /** Claims without their lease, and leases without their claim, since when. */
  readonly #mismatched = new Map<string, number>();
  /** When to take back a claim whose lease has run out. */
  readonly #reclaims = new Map<string, number>();
  /** Lease writes under way, one after the other for each task. */
  readonly #writing = new Map<string, Promise<void>>();
  #timer: ReturnType<typeof setInterval> | null = null;
  #stopped = false;

  constructor(
    store: LeaseStore,
    tasks: TaskIndex,
    writer: TaskWriter,
    limiter: Limiter,
    settings: ServiceSettings,
    clock: Clock,
    observe: Observe,
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
    this.#writes = new LeaseWrites(store, this.leases, clock);
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
    await Promise.all(this.#writing.values());
  }

  /** Gives a fresh claim its lease, in the background. */
  grant(task: Task): void {
    const lease = this.#leaseOf(task);
    if (lease === null) return;
    this.#inTurn(lease.taskId, async () => {
      if (await this.#writes.grant(lease)) {
        this.#observe({ kind: "lease_granted", taskId: lease.taskId, attempt: lease.attempt });
      }
    });
  }

  /** Removes the lease of an attempt that is over, in the background. */
  end(taskId: string, attempt: number): void {
    this.#inTurn(taskId, async () => {
      const known = this.leases.get(taskId);
      if (known === undefined || known.lease.attempt > attempt) return;
      await this.#store.purge(taskId, known.revision);
    });
  }

  /**
   * Starts the TTL of a lease anew, by compare-and-set: it cannot succeed after the expiry. `reported`:
   * the holder's progress; without it, that of this attempt stays.
   *
   * @throws CoordinatorError `lease_lost`; `unavailable` while the state of the lease is not settled
   */
  async renew(renewed: Omit<Lease, "confirmed" | "progress">, reported?: unknown): Promise<void> {
    await this.#writing.get(renewed.taskId);
    await this.#writes.renew({ ...renewed, confirmed: true }, { reported });
  }

  /**
   * Renews the lease of a claim whose session may not know of it; `false` if it is known to know. Of
   * any number of workers that try, one succeeds.
   */
  async confirm(task: Task): Promise<boolean> {
    const lease = this.#leaseOf(task);
    if (lease === null) return false;
    await this.#writing.get(task.taskId);
    const { ttlSeconds } = this.describe(task);
    return this.#writes.renew(
      { ...lease, ttlSeconds, confirmed: true },
      { isWanted: (found) => found?.kind !== "live" || !found.lease.confirmed },
    );
  }

  /** The lease of a claim as replies show it; an estimate while this worker has not seen it. */
  describe(task: Task): { ttlSeconds: number; expiresAt: number } {
    const known = this.leases.get(task.taskId);
    const seen = known?.lease.attempt === task.attempt ? known : undefined;
    const ttlSeconds =
      seen?.lease.ttlSeconds ?? task.ttlSeconds ?? this.#settings.defaultTtlSeconds;
    const since = seen?.writtenAt ?? task.claimedAt ?? this.#clock.now();
    return { ttlSeconds, expiresAt: since + ttlSeconds * 1000 };
  }

  /** Notes whether the task's claim and its lease fit together. */
  #compare(taskId: string): void {
    const task = this.#tasks.get(taskId)?.task;
    const held = task?.status === "claimed" ? task.attempt : null;
    const live = this.leases.get(taskId)?.lease.attempt ?? null;
    const expired = this.leases.expiredAttempt(taskId);
    if (expired !== undefined && expired === held) {
      this.#mismatched.delete(taskId);
      if (!this.#reclaims.has(taskId)) {
        const at = this.#clock.now() + this.#clock.random() * RECLAIM_SPREAD_MS;
        this.#reclaims.set(taskId, at);
        setTimeout(() => {
          this.#reclaim(taskId);
        }, at - this.#clock.now());
      }
      return;
    }
    this.#reclaims.delete(taskId);
    const isOver =
      task === undefined ? this.#tasks.isCurrent : task.attempt >= (expired ?? Infinity);
    if (expired !== undefined && isOver) this.leases.forgetExpired(taskId);
    const fits = held === live;
    if (fits) this.#mismatched.delete(taskId);
    else if (!this.#mismatched.has(taskId)) {
      const spread = this.#clock.random() * SETTLE_SPREAD_MS;
      this.#mismatched.set(taskId, this.#clock.now() + spread);
    }
  }

  #check(): void {
    if (!this.#tasks.isCurrent || !this.leases.isCurrent) return;
    const now = this.#clock.now();
    for (const [taskId, since] of this.#mismatched) {
      if (now - since < this.#settings.leaseGraceMs || this.#writing.has(taskId)) continue;
      this.#mismatched.set(taskId, now);
      this.#inTurn(taskId, () => this.#limiter.run(() => this.#settle(taskId)));
    }
    for (const [taskId, at] of this.#reclaims) {
      if (now - at >= RECLAIM_AGAIN_MS) this.#reclaim(taskId);
    }
  }

  /** Makes claim and lease fit, by the leader's record. */
  async #settle(taskId: string): Promise<void> {
    // Known before the record is read: a lease of a higher attempt than that record's is none of a
    // newer claim, but one from before the record was replaced by hand.
    const known = this.leases.get(taskId);
    const task = await this.#currentTask(taskId);
    const lease = task === null ? null : this.#leaseOf(task);
    if (known !== undefined && (lease === null || known.lease.attempt > lease.attempt)) {
      await this.#store.purge(taskId, known.revision);
    } else if (lease !== null && (await this.#writes.grant(lease))) {
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

  #reclaim(taskId: string): void {
    const attempt = this.leases.expiredAttempt(taskId);
    if (this.#stopped || attempt === undefined || !this.#reclaims.has(taskId)) return;
    this.#reclaims.set(taskId, this.#clock.now());
    this.#inTurn(taskId, async () => {
      const { written } = await this.#limiter.run(() =>
        this.#writer.execute(taskId, { type: "expire", attempt }),
      );
      if (written) this.#observe({ kind: "lease_expired", taskId, attempt });
      // Meanwhile the lease of a later attempt may have run out: that one is still to be reclaimed.
      if (this.leases.expiredAttempt(taskId) !== attempt) return;
      this.#reclaims.delete(taskId);
      this.leases.forgetExpired(taskId);
    });
  }

  #leaseOf(task: Task): Lease | null {
    if (task.status !== "claimed" || task.claimedBy === null) return null;
    return {
      taskId: task.taskId,
      sessionId: task.claimedBy,
      attempt: task.attempt,
      ttlSeconds: task.ttlSeconds ?? this.#settings.defaultTtlSeconds,
      confirmed: false,
      progress: null,
    };
  }

  /** Runs one task's lease writes one after the other; failures are left to the next check. */
  #inTurn(taskId: string, work: () => Promise<void>): void {
    const before = this.#writing.get(taskId) ?? Promise.resolve();
    const turn: Promise<void> = before
      .then(work)
      .catch((cause: unknown) => {
        this.#observe({ kind: "background_error", what: `lease of ${taskId}`, cause });
      })
      .finally(() => {
        if (this.#writing.get(taskId) === turn) this.#writing.delete(taskId);
      });
    this.#writing.set(taskId, turn);
  }
}
