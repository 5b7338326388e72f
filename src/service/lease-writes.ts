/**
 * Writes leases: grants them, renews them, ends them.
 *
 * A lease's key names the claim (attempt and epoch), so a lease is created once, and no lease follows its own
 * end. A holder that renews after the end begins the next epoch, by compare-and-set on the task's record. The
 * return of the claim is a compare-and-set on the same record and names the epoch that ended: one of them fails.
 */
import { CoordinatorError, hasCode } from "../protocol/errors.ts";
import { type LeaseName, leaseKeyOf } from "../protocol/lease-key.ts";
import type { TaskOutline } from "../protocol/packed-fields.ts";
import type { Task } from "../task/task.ts";
import type { EndedLease, KnownLease, LeaseIndex } from "./lease-index.ts";
import { isOf, type Leases, nameOf } from "./leases.ts";
import type { Clock, ConnectionId, Lease, LeaseStore, Observe, ServiceContext } from "./ports.ts";
import type { TaskWriter } from "./task-writer.ts";

const TRIES = 5;

/** What a renewal changes next to the time. */
export interface Renewal {
  /** The holder's progress; without it, that of this attempt stays. */
  readonly reported?: unknown;
  /** The holder's connection, whose loss ends the lease; without it, the one that it has stays. */
  readonly connection?: ConnectionId | undefined;
  /** Who asks for it: the event of a lease that begins again names it. */
  readonly principal?: string | null;
}

/** What a lease takes over from the one before it. */
type Kept = Pick<Lease, "progress" | "connection">;

export class LeaseWrites {
  readonly #store: LeaseStore;
  readonly #leases: Leases;
  readonly #index: LeaseIndex;
  readonly #writer: TaskWriter;
  readonly #clock: Clock;
  readonly #observe: Observe;

  constructor(
    store: LeaseStore,
    leases: Leases,
    writer: TaskWriter,
    { clock, observe }: ServiceContext,
  ) {
    this.#store = store;
    this.#leases = leases;
    this.#index = leases.index;
    this.#writer = writer;
    this.#clock = clock;
    this.#observe = observe;
  }

  /** Writes the lease of a claim that has none, unless there is one or has been one. */
  async grant(task: TaskOutline): Promise<void> {
    const { isOwn, connection } = this.#leases.originOf(task);
    const lease = { ...this.#leases.leaseOf(task), connection };
    if (await this.#write(lease, 0)) {
      const { taskId, attempt } = task;
      this.#observe({ kind: isOwn ? "lease_granted" : "lease_restored", taskId, attempt });
      // Otherwise the lease exists or is over, and both are fine.
    } else await this.#refresh(lease);
  }

  /** Writes the lease of a claim in the next epoch, because an earlier task of this id has used its key. */
  async beginAgain(task: TaskOutline): Promise<void> {
    await this.grant(await this.#nextEpoch(task, this.#leases.leaseOf(task).ttlSeconds));
  }

  /** Removes the leases of claims of the task that are over, unless they are renewed just now. */
  async purgeOld(taskId: string, task: TaskOutline | null): Promise<void> {
    let old = this.#leases.oldOf(taskId, task);
    // The watch of the tasks can be behind that of the leases, and a purge would cost a new claim its lease.
    if (!old.every(({ lease }) => this.#leases.knowsClaimOf(lease))) {
      old = this.#leases.oldOf(taskId, await this.#recordOf(taskId));
    }
    await Promise.all(old.map((known) => this.#end(known, "removed")));
  }

  /** Ends the claim's lease because its connection is lost, unless it has been renewed meanwhile. */
  async disconnect(task: TaskOutline): Promise<void> {
    const known = this.#index.get(leaseKeyOf(nameOf(task)));
    if (known !== undefined) await this.#end(known, "disconnected");
  }

  /**
   * Starts the TTL of a claim's lease again, for its holder, and returns the task. If the lease is over, the
   * record decides whether the claim is still there.
   *
   * @throws CoordinatorError `lease_lost`, `not_holder`, `unavailable`
   */
  async renew(task: Task, ttlSeconds: number, renewal: Renewal = {}): Promise<Task> {
    let claim = task;
    let kept: Kept = {
      progress: null,
      connection: this.#leases.originOf(task).connection,
    };
    let isOver = false;
    for (let tries = 0; tries < TRIES; tries++) {
      const key = leaseKeyOf(nameOf(claim));
      const ended = this.#index.ended(key);
      const found = this.#index.get(key);
      const isUsed = found !== undefined && !isOf(found.lease, claim);
      if (isOver || isUsed || ended !== undefined) {
        if (ended !== undefined) kept = keptFrom(ended, claim) ?? kept;
        claim = await this.#nextEpoch(claim, ttlSeconds, renewal.principal);
        isOver = false;
        continue;
      }
      const lease = this.#renewed(claim, ttlSeconds, found?.lease ?? kept, renewal);
      if (await this.#write(lease, found?.revision ?? 0)) return claim;
      isOver = (await this.#refresh(lease)) === "ended";
    }
    throw new CoordinatorError(
      "unavailable",
      `the lease of task ${task.taskId} is busy: ask again`,
    );
  }

  /**
   * Renews the lease of a claim whose session may not know of it; `false` if it is known to know, or if the
   * lease is over. Of any number of workers that try, one succeeds.
   */
  async confirm(task: Task, connection?: ConnectionId): Promise<boolean> {
    if (task.status !== "claimed") return false;
    const { ttlSeconds } = this.#leases.describe(task).lease;
    const key = leaseKeyOf(nameOf(task));
    for (let tries = 0; tries < TRIES; tries++) {
      const found = this.#index.get(key);
      // The lease of another claim says that this one is to begin in the next epoch: the session may ask again then.
      const isSettled = found !== undefined && (found.lease.confirmed || !isOf(found.lease, task));
      if (isSettled || this.#index.ended(key) !== undefined) return false;
      const kept = found?.lease ?? { progress: null, ...this.#leases.originOf(task) };
      const lease = this.#renewed(task, ttlSeconds, kept, { connection });
      if (await this.#write(lease, found?.revision ?? 0)) return true;
      if ((await this.#refresh(lease)) === "ended") return false;
    }
    return false;
  }

  /** The leader's record; `null`: there is none that anyone could hold. */
  async #recordOf(taskId: string): Promise<Task | null> {
    try {
      return (await this.#writer.load(taskId)).task;
    } catch (error) {
      if (!hasCode(error, "not_found", "corrupt_record")) throw error;
      return null;
    }
  }

  #renewed(
    task: Task,
    ttlSeconds: number,
    { progress: last, connection: kept }: Kept,
    { reported, connection: named }: Renewal,
  ): Lease {
    // A renewal that was on its way when its connection was lost must not bring that back over the one that
    // the session has named since.
    const keeps = named === undefined || (kept !== null && this.#leases.lost.has(named));
    const connection = keeps ? kept : named;
    const progress = reported === undefined ? last : reported;
    return { ...this.#leases.leaseOf(task), ttlSeconds, confirmed: true, progress, connection };
  }

  /** @throws CoordinatorError `lease_lost` or `not_holder` if the claim is over */
  async #nextEpoch(
    task: TaskOutline,
    ttlSeconds: number,
    principal: string | null = null,
  ): Promise<Task> {
    const { taskId, claimedBy, attempt, leaseEpoch: epoch } = task;
    const sessionId = claimedBy ?? "";
    const claim = { sessionId, attempt, epoch, ttlSeconds };
    return (await this.#writer.execute(taskId, { type: "revive", ...claim, principal })).task;
  }

  async #write(lease: Lease, expectedRevision: number): Promise<boolean> {
    const outcome = await this.#store.write(lease, expectedRevision);
    if (outcome.kind !== "written") return false;
    this.#index.apply(lease, outcome.revision, this.#clock.now());
    return true;
  }

  async #end({ lease, revision }: KnownLease, how: "disconnected" | "removed"): Promise<void> {
    const { taskId, attempt, epoch } = lease;
    const name = { taskId, attempt, epoch };
    const outcome = await this.#store.end(name, revision, how);
    if (outcome.kind !== "written") return;
    const writtenAt = this.#clock.now();
    this.#index.applyEnd({ kind: "ended", name, revision: outcome.revision, how, writtenAt });
  }

  /** Takes in what the leader has. */
  async #refresh(name: LeaseName): Promise<"live" | "ended" | null> {
    const entry = await this.#store.load(name);
    if (entry?.kind === "live") this.#index.apply(entry.lease, entry.revision, entry.writtenAt);
    else if (entry !== null) this.#index.applyEnd(entry);
    return entry?.kind ?? null;
  }
}

/** A connection that has ended a lease is not kept. `null`: this worker has not seen the lease of the claim. */
function keptFrom({ known, how }: EndedLease, claim: Task): Kept | null {
  if (known === null || !isOf(known.lease, claim)) return null;
  const { progress, connection } = known.lease;
  return { progress, connection: how === "disconnected" ? null : connection };
}
