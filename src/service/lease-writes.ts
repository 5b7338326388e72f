/**
 * Writes leases by compare-and-set, over whatever is there but the server's marker of their own end: a
 * lease that has run out is begun anew on the task's record first (`leaseEpoch`), so that this and the
 * reclaim of its claim exclude each other.
 */
import { CoordinatorError } from "../protocol/errors.ts";
import { MIN_TTL_SECONDS } from "../protocol/fields.ts";
import { compareLeases, isSameLease } from "./lease-id.ts";
import type { LeaseIndex } from "./lease-index.ts";
import type { Clock, Lease, LeaseEntry, LeaseStore } from "./ports.ts";
import { progressOver } from "./progress-reports.ts";

const TRIES = 5;

export type LeaseOutcome =
  | { readonly kind: "written" }
  /** What is there is left as it is. */
  | { readonly kind: "left" }
  /** It may be this lease that has run out. `over`: what was found, for the one that is begun anew. */
  | { readonly kind: "expired"; readonly lease: Lease; readonly over: LeaseEntry | null };

export class LeaseWrites {
  readonly #store: LeaseStore;
  readonly #leases: LeaseIndex;
  readonly #clock: Clock;

  constructor(store: LeaseStore, leases: LeaseIndex, clock: Clock) {
    this.#store = store;
    this.#leases = leases;
    this.#clock = clock;
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
   * Starts the TTL anew; leaves it if `isWanted` does not want what is found. `reported`: the holder's
   * progress; without it, that of this attempt stays. `over`: what was found when it had run out.
   *
   * @throws CoordinatorError `lease_lost`; `unavailable` while the state of the lease is not settled
   */
  async renew(
    renewed: Omit<Lease, "progress">,
    options: {
      readonly reported?: unknown;
      readonly isWanted?: (found: LeaseEntry | null) => boolean;
      readonly over?: LeaseEntry | null;
    } = {},
  ): Promise<LeaseOutcome> {
    const { taskId } = renewed;
    const { reported, isWanted = () => true, over } = options;
    const known = this.#leases.get(taskId);
    let entry: LeaseEntry | null =
      over !== undefined
        ? over
        : known?.lease.attempt === renewed.attempt
          ? { kind: "live", ...known }
          : await this.#store.load(taskId);
    let lease: Lease = { ...renewed, progress: null };
    let seen: Lease | null = null;
    for (let tries = 0; tries < TRIES; tries++) {
      if (entry?.kind === "live") {
        if (entry.lease.attempt > lease.attempt) throw claimedAgain(taskId);
        // It has been begun anew since the record was read.
        if (entry.lease.attempt === lease.attempt && entry.lease.epoch > lease.epoch) {
          lease = { ...lease, epoch: entry.lease.epoch };
        }
        if (isSameLease(entry.lease, lease)) seen = entry.lease;
      } else if (over === undefined || entry !== over) {
        const ended = this.#endOf(lease, entry, seen);
        if (ended !== null) return { kind: "expired", lease: ended, over: entry };
      }
      if (!isWanted(entry)) return { kind: "left" };
      if (await this.#write(lease, entry, reported)) return { kind: "written" };
      entry = await this.#store.load(taskId);
    }
    throw new CoordinatorError("unavailable", `the lease of task ${taskId} is busy: ask again`);
  }

  async #write(lease: Lease, over: LeaseEntry | null, reported?: unknown): Promise<boolean> {
    const before = over?.kind === "live" ? over.lease : this.#leases.expired(lease.taskId)?.lease;
    const written = { ...lease, progress: progressOver(before, lease.attempt, reported) };
    const outcome = await this.#store.write(written, over?.revision ?? 0);
    if (outcome.kind !== "written") return false;
    this.#leases.applyOwn(written, outcome.revision, this.#clock.now());
    return true;
  }

  /** Whether there is this lease or a later one, or this worker saw this one run out. */
  #isSettled(lease: Lease, entry: LeaseEntry | null): boolean {
    if (entry?.kind === "live" && compareLeases(entry.lease, lease) >= 0) return true;
    return this.#expiredOf(lease) !== null;
  }

  /** The lease as it was when this worker saw it run out. */
  #expiredOf(lease: Lease): Lease | null {
    const expired = this.#leases.expired(lease.taskId)?.lease;
    return expired !== undefined && isSameLease(expired, lease) ? expired : null;
  }

  /** Whether the marker is known to tell of the end of an earlier lease, which this one follows. */
  #isOfEarlier(marker: LeaseEntry, lease: Lease): boolean {
    const expired = this.#leases.expired(lease.taskId);
    return expired?.revision === marker.revision && compareLeases(expired.lease, lease) < 0;
  }

  /**
   * The lease, if it has run out, and `null` if it has not been there yet. `seen`: as it was last seen
   * alive; a marker that follows is its own, unless the record has gone on as well.
   *
   * @throws CoordinatorError `unavailable` if nobody can say whose end the marker tells of
   */
  #endOf(lease: Lease, entry: LeaseEntry | null, seen: Lease | null): Lease | null {
    const expired = this.#expiredOf(lease);
    if (expired !== null) return expired;
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
