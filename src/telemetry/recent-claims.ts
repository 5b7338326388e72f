/** The claims of the last minutes, for the gauges of claim latency and success. */

/** Older claims are forgotten, in milliseconds. */
export const WINDOW_MS = 5 * 60 * 1000;
/** The largest number of claims that is kept. */
export const WINDOW_CLAIMS = 4096;

interface RecentClaim {
  readonly endedAt: number;
  readonly seconds: number;
  readonly succeeded: boolean;
}

export class RecentClaims {
  readonly #steady: () => number;
  /** A ring buffer: when it is full, the latest claim replaces the oldest. */
  readonly #claims: RecentClaim[] = [];
  #next = 0;

  constructor(steady: () => number) {
    this.#steady = steady;
  }

  add(seconds: number, succeeded: boolean): void {
    this.#claims[this.#next] = { endedAt: this.#steady(), seconds, succeeded };
    this.#next = (this.#next + 1) % WINDOW_CLAIMS;
  }

  /** The duration that 95 % of the claims did not exceed, in seconds. NaN if there were no claims. */
  p95Seconds(): number {
    const sorted = this.#recent()
      .map((claim) => claim.seconds)
      .sort((a, b) => a - b);
    return sorted[Math.ceil(sorted.length * 0.95) - 1] ?? Number.NaN;
  }

  /** The percentage of claims that succeeded, 0 to 100. NaN if there were no claims. */
  successPercent(): number {
    const recent = this.#recent();
    return (100 * recent.filter((claim) => claim.succeeded).length) / recent.length;
  }

  #recent(): RecentClaim[] {
    const oldest = this.#steady() - WINDOW_MS;
    return this.#claims.filter((claim) => claim.endedAt >= oldest);
  }
}
