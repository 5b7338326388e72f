/**
 * Outages, as this worker notices them. In an outage nobody can renew, so what ends then says nothing about its
 * holder. A worker was in one when its watches were interrupted, or when the server ends a lease much later than
 * it was due. From then on until a grace is over, the holders of leases whose end it learns of are spared: they
 * can begin them again.
 */
import type { WatchPosition } from "../watched/watch-position.ts";
import type { KnownLease } from "./lease-index.ts";
import type { Clock, EndedEntry, Observe } from "./ports.ts";

/** The server ends leases within about a second. Later than this, it did not serve when one was due. */
const LATE_MS = 3_000;

export class Outage {
  readonly #watches: readonly WatchPosition[];
  readonly #graceMs: number;
  readonly #clock: Clock;
  readonly #observe: Observe;
  readonly #spared: () => number;
  readonly #listeners: (() => void)[] = [];
  /** A worker that has just started has been in no outage. */
  #hasSeen = false;
  #isBlind = false;
  #graceEndsAt = -Infinity;

  /** `spared`: how many holders are spared at the moment, for the report. */
  constructor(
    watches: readonly WatchPosition[],
    graceMs: number,
    { clock, observe }: { readonly clock: Clock; readonly observe: Observe },
    spared: () => number,
  ) {
    this.#watches = watches;
    this.#graceMs = graceMs;
    this.#clock = clock;
    this.#observe = observe;
    this.#spared = spared;
    for (const watch of watches) {
      watch.onCurrentChange(() => {
        this.#turned();
      });
    }
  }

  /** Whether all watches are current. Until then this worker follows nothing up. */
  get sees(): boolean {
    return this.#watches.every((watch) => watch.isCurrent);
  }

  /** Whether this worker does not know who could have renewed. */
  get isOn(): boolean {
    return !this.sees || this.#clock.steady() < this.#graceEndsAt;
  }

  /** When the grace of the last outage ends or ended, by the steady clock. */
  get graceEndsAt(): number {
    return this.#graceEndsAt;
  }

  /** Calls the listener when an outage or its grace begins, and when this worker sees everything. It must not throw. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /**
   * Whether the holder of this lease is spared. If this worker has not seen the lease alive (`known` is `null`),
   * nobody can say whether its end was in an outage.
   */
  spares({ how, writtenAt }: EndedEntry, known: KnownLease | null): boolean {
    if (this.#graceMs === 0) return false;
    if (known === null || this.#isBlind || this.isOn) return true;
    if (how !== "expired") return false;
    // Both times are the server's own.
    const isLate = writtenAt - (known.writtenAt + known.lease.ttlSeconds * 1000) > LATE_MS;
    if (isLate) {
      queueMicrotask(() => {
        if (!this.isOn) this.#beginGrace();
      });
    }
    return isLate;
  }

  #turned(): void {
    if (this.sees) {
      const wasBlind = this.#isBlind;
      this.#hasSeen = true;
      this.#isBlind = false;
      if (wasBlind && this.#graceMs > 0) this.#beginGrace();
    } else this.#isBlind = this.#hasSeen;
    this.#tell();
  }

  #beginGrace(): void {
    this.#graceEndsAt = this.#clock.steady() + this.#graceMs;
    this.#observe({ kind: "outage_grace", seconds: this.#graceMs / 1000, spared: this.#spared() });
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
