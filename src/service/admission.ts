/** Who may come in: a cap on requests in flight for all, and a rate for each principal. */
import { CoordinatorError } from "../protocol/errors.ts";
import type { Clock, ServiceSettings } from "./ports.ts";

/** Buckets that are full again say nothing and are dropped when there are more than this. */
const MAX_BUCKETS = 10_000;

interface TokenBucket {
  tokens: number;
  at: number;
}

export class Admission {
  readonly #settings: ServiceSettings;
  readonly #clock: Clock;
  readonly #buckets = new Map<string, TokenBucket>();
  #inFlight = 0;

  constructor(settings: ServiceSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** `parks`: the request may wait for long and is limited by the number of those who wait instead. */
  enter(principal: string | null, parks: boolean): (() => void) | CoordinatorError {
    if (principal !== null && !this.#spend(principal)) {
      const rate = this.#settings.requestsPerSecond;
      return overloaded(`${principal} sends more than ${rate} requests a second: slow down`);
    }
    if (parks) return () => undefined;
    if (this.#inFlight >= this.#settings.maxInFlight) {
      return overloaded(
        `this worker has ${this.#inFlight} requests in flight: ask again in a moment`,
      );
    }
    this.#inFlight++;
    return () => {
      this.#inFlight--;
    };
  }

  /** A token bucket that holds one second's worth. */
  #spend(principal: string): boolean {
    const rate = this.#settings.requestsPerSecond;
    if (rate === 0) return true;
    const now = this.#clock.now();
    const bucket = this.#buckets.get(principal) ?? { tokens: rate, at: now };
    bucket.tokens = Math.min(rate, bucket.tokens + ((now - bucket.at) / 1000) * rate);
    bucket.at = now;
    if (!this.#buckets.has(principal)) {
      if (this.#buckets.size >= MAX_BUCKETS) this.#dropFull(now);
      this.#buckets.set(principal, bucket);
    }
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }

  #dropFull(now: number): void {
    for (const [principal, { at }] of this.#buckets) {
      if (now - at >= 1000) this.#buckets.delete(principal);
    }
  }
}

function overloaded(message: string): CoordinatorError {
  return new CoordinatorError("overloaded", message);
}
