/**
 * Writes leases by compare-and-set, over anything but what says that they have ended: the server's
 * marker, or that their connection is lost. A lease that is over is begun again on the task's record
 * first (`leaseEpoch`), so that this and the reclaim of its claim exclude each other.
 */
import { CoordinatorError } from "../protocol/errors.ts";
import { MIN_TTL_SECONDS } from "../protocol/fields.ts";
import { compareLeases, isSameLease } from "./lease-id.ts";
import type { LeaseIndex } from "./lease-index.ts";
import type { Clock, ConnectionId, Lease, LeaseEntry, LeaseStore } from "./ports.ts";
import { progressOver } from "./progress-reports.ts";

const TRIES = 5;

export type LeaseOutcome =
  | { readonly kind: "written" }
  /** What is there is left as it is. */
  | { readonly kind: "left" }
  /** It may be this lease that is over. `over`: what was found, for the one that is begun again. */
  | { readonly kind: "expired"; readonly lease: Lease; readonly over: LeaseEntry | null };

/** What a renewal changes next to the time. */
export interface Renewal {
  /** The holder's progress; without it, that of this attempt stays. */
  readonly reported?: unknown;
  /** The holder's connection, whose loss ends the lease; without it, the one that it has stays. */
  readonly connection?: ConnectionId | undefined;
}

export class LeaseWrites {
  readonly #store: LeaseStore;
  readonly #leases: LeaseIndex;
  readonly #clock: Clock;
  readonly #isGone: (connection: ConnectionId) => boolean;

  /** `isGone`: whether this worker knows that the connection is lost. */
  constructor(
    store: LeaseStore,
    leases: LeaseIndex,
    clock: Clock,
    isGone: (connection: ConnectionId) => boolean = () => false,
  ) {
    this.#store = store;
    this.#leases = leases;
    this.#clock = clock;
    this.#isGone = isGone;
  }

  /**
   * For a claim that this worker made at `claimedAt`. The later one wins: `false` if there is this lease
   * or a later one, or may have been.
   */
  async grant(lease: Lease, claimedAt: number): Promise<boolean> {
    const known = this.#leases.get(lease.taskId);
    let entry: LeaseEntry | null = known === undefined ? null : { kind: "live", ...known };
    for (let tries = 0; tries < TRIES; tries++) {
      if (this.#isSettled(lease, entry)) return false;
      if (await this.#write(lease, entry)) return true;
      entry = await this.#store.load(lease.taskId);
      // Another worker may have given it its lease, and that have run out: not to be made good here.
      const age = this.#clock.now() - claimedAt;
      if (entry?.kind === "expired" && age >= MIN_TTL_SECONDS * 1000) return false;
    }
    return false;
  }

  /** For a claim that was found without a lease. `over`: only if this is what is there. */
  async restore(lease: Lease, over?: LeaseEntry | null): Promise<LeaseOutcome> {
    const entry = over === undefined ? await this.#store.load(lease.taskId) : over;
    if (this.#isSettled(lease, entry)) return { kind: "left" };
    if (over === undefined && entry?.kind === "expired" && !this.#isOfEarlier(entry, lease)) {
      return { kind: "expired", lease, over: entry };
    }
    return { kind: (await this.#write(lease, entry)) ? "written" : "left" };
  }

  /**
   * Starts the TTL again; leaves it if `isWanted` does not want what is found. `over`: what was found
   * when it was over.
   *
   * @throws CoordinatorError `lease_lost`; `unavailable` while the state of the lease is not settled
   */
  async renew(
    renewed: Omit<Lease, "progress" | "connection">,
    options: Renewal & {
      readonly isWanted?: (found: LeaseEntry | null) => boolean;
      readonly over?: LeaseEntry | null;
    } = {},
  ): Promise<LeaseOutcome> {
    const { taskId } = renewed;
    const { isWanted = () => true, over } = options;
    const known = this.#leases.get(taskId);
    let entry: LeaseEntry | null =
      over !== undefined
        ? over
        : known?.lease.attempt === renewed.attempt
          ? { kind: "live", ...known }
          : await this.#store.load(taskId);
    let lease: Lease = { ...renewed, progress: null, connection: null };
    let seen: Lease | null = null;
    for (let tries = 0; tries < TRIES; tries++) {
      if (entry?.kind === "live") {
        if (entry.lease.attempt > lease.attempt) throw claimedAgain(taskId);
        // It has been begun again since the record was read.
        if (entry.lease.attempt === lease.attempt && entry.lease.epoch > lease.epoch) {
          lease = { ...lease, epoch: entry.lease.epoch };
        }
        if (isSameLease(entry.lease, lease)) seen = entry.lease;
      } else if (over === undefined || entry !== over) {
        const ended = this.#endOf(lease, entry, seen);
        if (ended !== null) return { kind: "expired", lease: ended, over: entry };
      }
      if (!isWanted(entry)) return { kind: "left" };
      if (await this.#write(lease, entry, options)) return { kind: "written" };
      entry = await this.#store.load(taskId);
    }
    throw new CoordinatorError("unavailable", `the lease of task ${taskId} is busy: ask again`);
  }

  /**
   * Ends the lease if it still names the connection, which is lost. From then on it is one that has run
   * out: its claim is taken back by the worker that sees it, or begun again by its holder.
   */
  async disconnect(taskId: string, key: string): Promise<void> {
    const known = this.#leases.get(taskId);
    if (known === undefined || !this.#leases.connectedBy(key).has(taskId)) return;
    const outcome = await this.#store.disconnect(known.lease, known.revision);
    if (outcome.kind !== "written") return;
    this.#leases.applyDisconnected(known.lease, outcome.revision, this.#clock.now());
  }

  async #write(
    lease: Lease,
    over: LeaseEntry | null,
    { reported, connection = lease.connection ?? undefined }: Renewal = {},
  ): Promise<boolean> {
    const isOverLease = over?.kind === "live" || over?.kind === "disconnected";
    const before = isOverLease ? over.lease : this.#leases.expired(lease.taskId)?.lease;
    const written = {
      ...lease,
      progress: progressOver(before, lease.attempt, reported),
      connection: this.#connectionOver(over, before, lease.attempt, connection),
    };
    const outcome = await this.#store.write(written, over?.revision ?? 0);
    if (outcome.kind !== "written") return false;
    this.#leases.applyOwn(written, outcome.revision, this.#clock.now());
    return true;
  }

  /**
   * A renewal that was on its way when its connection was lost must not bring that back over the one
   * that the session has named since; nor does one that names none keep a connection that has ended it.
   */
  #connectionOver(
    over: LeaseEntry | null,
    before: Lease | undefined,
    attempt: number,
    named: ConnectionId | undefined,
  ): ConnectionId | null {
    const isLost = over?.kind === "disconnected";
    const kept = before?.attempt === attempt && !isLost ? before.connection : null;
    return named === undefined || (kept !== null && this.#isGone(named)) ? kept : named;
  }

  /** Whether there is this lease or a later one, or this worker saw this one run out. */
  #isSettled(lease: Lease, entry: LeaseEntry | null): boolean {
    const isThere = entry?.kind === "live" || entry?.kind === "disconnected";
    if (isThere && compareLeases(entry.lease, lease) >= 0) return true;
    return this.#expiredOf(lease) !== null;
  }

  /** The lease as it was when this worker saw it end. */
  #expiredOf(lease: Lease): Lease | null {
    const expired = this.#leases.expired(lease.taskId)?.lease;
    return expired !== undefined && isSameLease(expired, lease) ? expired : null;
  }

  /** Whether the marker is known to be that of the end of an earlier lease, which this one follows. */
  #isOfEarlier(marker: LeaseEntry, lease: Lease): boolean {
    const expired = this.#leases.expired(lease.taskId);
    return expired?.revision === marker.revision && compareLeases(expired.lease, lease) < 0;
  }

  /**
   * The lease, if it has run out, and `null` if it has not been there yet. `seen`: as it was last seen
   * alive; a marker that follows is its own, unless the record has gone on as well.
   *
   * @throws CoordinatorError `unavailable` if nobody can say whose end the marker is
   */
  #endOf(lease: Lease, entry: LeaseEntry | null, seen: Lease | null): Lease | null {
    const expired = this.#expiredOf(lease);
    if (expired !== null) return expired;
    if (entry?.kind === "disconnected") {
      if (entry.lease.attempt > lease.attempt) throw claimedAgain(lease.taskId);
      return compareLeases(entry.lease, lease) >= 0 ? entry.lease : null;
    }
    if (entry?.kind !== "expired") return null;
    if (seen !== null) return seen;
    if (this.#isOfEarlier(entry, lease)) return null;
    // It may be that of an earlier attempt, whose successor is being written just now.
    throw new CoordinatorError(
      "unavailable",
      `the lease of task ${lease.taskId} is being settled: ask again in a second`,
    );
  }
}

function claimedAgain(taskId: string): CoordinatorError {
  return new CoordinatorError(
    "lease_lost",
    `this claim of task ${taskId} has been claimed again: stop working on it`,
  );
}
