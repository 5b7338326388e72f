/** Writes leases by compare-and-set, over whatever is there. */
import { CoordinatorError } from "../protocol/errors.ts";
import type { LeaseIndex } from "./lease-index.ts";
import type { Clock, Lease, LeaseEntry, LeaseStore } from "./ports.ts";
import { progressOver } from "./progress-reports.ts";

const TRIES = 5;

export class LeaseWrites {
  readonly #store: LeaseStore;
  readonly #leases: LeaseIndex;
  readonly #clock: Clock;

  constructor(store: LeaseStore, leases: LeaseIndex, clock: Clock) {
    this.#store = store;
    this.#leases = leases;
    this.#clock = clock;
  }

  /** The higher attempt wins: `false` if there is a lease of this attempt or a later one. */
  async grant(lease: Lease): Promise<boolean> {
    const known = this.#leases.get(lease.taskId);
    let entry: LeaseEntry | null = known === undefined ? null : { kind: "live", ...known };
    for (let tries = 0; tries < TRIES; tries++) {
      if (entry?.kind === "live" && entry.lease.attempt >= lease.attempt) return false;
      if (await this.#write(lease, entry)) return true;
      entry = await this.#store.load(lease.taskId);
    }
    return false;
  }

  /**
   * Starts the TTL anew; `false` if `isWanted` does not want what is found, and nothing is written.
   * `reported`: the holder's progress; without it, that of this attempt stays.
   *
   * @throws CoordinatorError `lease_lost`; `unavailable` while the state of the lease is not settled
   */
  async renew(
    lease: Omit<Lease, "progress">,
    options: {
      readonly reported?: unknown;
      readonly isWanted?: (found: LeaseEntry | null) => boolean;
    } = {},
  ): Promise<boolean> {
    const { taskId, attempt } = lease;
    const { reported, isWanted = () => true } = options;
    const known = this.#leases.get(taskId);
    let entry: LeaseEntry | null =
      known?.lease.attempt === attempt
        ? { kind: "live", ...known }
        : await this.#store.load(taskId);
    for (let tries = 0; tries < TRIES; tries++) {
      this.#requireRenewable(lease, entry);
      if (!isWanted(entry)) return false;
      const progress = progressOver(entry, attempt, reported);
      if (await this.#write({ ...lease, progress }, entry)) return true;
      entry = await this.#store.load(taskId);
    }
    throw new CoordinatorError("unavailable", `the lease of task ${taskId} is busy: ask again`);
  }

  async #write(lease: Lease, over: LeaseEntry | null): Promise<boolean> {
    const outcome = await this.#store.write(lease, over?.revision ?? 0);
    if (outcome.kind !== "written") return false;
    this.#leases.applyOwn(lease, outcome.revision, this.#clock.now());
    return true;
  }

  #requireRenewable({ taskId, attempt }: Omit<Lease, "progress">, entry: LeaseEntry | null): void {
    if (entry?.kind === "live" && entry.lease.attempt > attempt) {
      throw leaseLost(taskId, "has been claimed again");
    }
    if (entry?.kind !== "expired") return;
    if (this.#leases.expiredAttempt(taskId) === attempt) throw leaseLost(taskId, "has expired");
    // The marker may be that of an earlier attempt, whose successor is being written just now.
    throw new CoordinatorError(
      "unavailable",
      `the lease of task ${taskId} is being settled: ask again in a second`,
    );
  }
}

function leaseLost(taskId: string, why: string): CoordinatorError {
  return new CoordinatorError(
    "lease_lost",
    `this claim of task ${taskId} ${why}: stop working on it`,
  );
}
