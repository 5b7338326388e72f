/**
 * When claims are taken back whose leases have run out: at once, unless there was an outage.
 *
 * In an outage nobody can renew, so what runs out then says nothing about its holder. A worker was in
 * one when its watches were interrupted, or when the server ends a lease much later than it was due.
 * From then on until a grace is over it spares the leases whose end it learns of: their holders can
 * begin them again. A worker whose watches are not current takes nothing back at all.
 */
import type { ExpiredLease } from "./lease-index.ts";
import type { Clock, Observe } from "./ports.ts";
import type { WatchPosition } from "../watched/watch-position.ts";

/** Workers see an expiry at the same moment; this spreads them, so that mostly one writes. */
const SPREAD_MS = 50;
const AGAIN_MS = 1_000;
/** The server ends leases within about a second. Later than this, it did not serve when one was due. */
const LATE_MS = 3_000;

interface Due {
  at: number;
  readonly isSpared: boolean;
}

export class Reclaims {
  readonly #watches: readonly WatchPosition[];
  readonly #graceMs: number;
  readonly #clock: Clock;
  readonly #observe: Observe;
  readonly #takeBack: (taskId: string) => void;
  readonly #due = new Map<string, Due>();
  /** A worker that has just started knows of no lease that it could have missed the end of. */
  #hasSeen = false;
  #isBlind = false;
  #graceEndsAt = -Infinity;

  /** `takeBack` is called for each claim when it is due, and again until it is forgotten here. */
  constructor(
    watches: readonly WatchPosition[],
    graceMs: number,
    clock: Clock,
    observe: Observe,
    takeBack: (taskId: string) => void,
  ) {
    this.#watches = watches;
    this.#graceMs = graceMs;
    this.#clock = clock;
    this.#observe = observe;
    this.#takeBack = takeBack;
    for (const watch of watches) {
      watch.onCurrentChange(() => {
        this.#turned();
      });
    }
  }

  /** The lease of the task's current claim has run out. */
  note(taskId: string, { lease, lateMs }: ExpiredLease): void {
    if (this.#due.has(taskId)) return;
    const isLate = lateMs > LATE_MS;
    const isSpared = this.#graceMs > 0 && (isLate || this.#isBlind || this.#isInGrace);
    const wait = this.#clock.random() * SPREAD_MS;
    this.#due.set(taskId, { at: this.#clock.now() + wait, isSpared });
    if (!isSpared) {
      setTimeout(() => {
        this.#try(taskId);
      }, wait);
      return;
    }
    this.#observe({ kind: "lease_spared", taskId, attempt: lease.attempt });
    if (isLate && !this.#isBlind && !this.#isInGrace) this.#beginGrace();
  }

  /** The claim is over, or has a lease again. */
  forget(taskId: string): void {
    this.#due.delete(taskId);
  }

  /** To be called a few times a second. */
  check(): void {
    const now = this.#clock.now();
    for (const [taskId, { at }] of this.#due) if (at <= now) this.#try(taskId);
  }

  /** Whether this worker does not know who could have renewed: what ends now must be spared. */
  get isOutage(): boolean {
    return !this.#sees || this.#isInGrace;
  }

  get #isInGrace(): boolean {
    return this.#clock.now() < this.#graceEndsAt;
  }

  get #sees(): boolean {
    return this.#watches.every((watch) => watch.isCurrent);
  }

  #try(taskId: string): void {
    const due = this.#due.get(taskId);
    if (due === undefined || !this.#sees || (due.isSpared && this.#isInGrace)) return;
    due.at = this.#clock.now() + AGAIN_MS;
    this.#takeBack(taskId);
  }

  #turned(): void {
    if (!this.#sees) {
      this.#isBlind = this.#hasSeen;
      return;
    }
    this.#hasSeen = true;
    if (!this.#isBlind) return;
    this.#isBlind = false;
    if (this.#graceMs > 0) this.#beginGrace();
  }

  #beginGrace(): void {
    this.#graceEndsAt = this.#clock.now() + this.#graceMs;
    const spared = [...this.#due.values()].filter(({ isSpared }) => isSpared).length;
    this.#observe({ kind: "outage_grace", seconds: this.#graceMs / 1000, spared });
  }
}
