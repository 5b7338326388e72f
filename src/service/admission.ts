/** Admits requests: up to a number in flight for all clients, and up to a rate for each principal. */
import { CoordinatorError } from "../protocol/errors.ts";
import type { Principal } from "../protocol/subjects.ts";
import type { Clock } from "./ports.ts";
import type { ServiceSettings } from "./service-settings.ts";

/** With more token buckets than this, those that are full again are dropped. */
const MAX_BUCKETS = 10_000;

interface TokenBucket {
  tokens: number;
  at: number;
}

export class Admission {
  readonly #settings: ServiceSettings;
  readonly #clock: Clock;
  readonly #buckets = new Map<string, TokenBucket>();
  readonly #waiting: () => number;
  /** One error for all: a worker that has too much to do must not spend time on making errors. */
  readonly #full: CoordinatorError;
  #inFlight = 0;

  /** `waiting`: the number of parked requests. They don't count: another setting limits them. */
  constructor(settings: ServiceSettings, clock: Clock, waiting: () => number) {
    this.#waiting = waiting;
    this.#settings = settings;
    this.#clock = clock;
    this.#full = overloaded(
      `this worker has ${settings.maxInFlight} requests in flight: ask again in a moment`,
    );
  }

  get inFlight(): number {
    return this.#inFlight - this.#waiting();
  }

  /** Call the returned function when the request is over. */
  enter(principal: Principal | null): (() => void) | CoordinatorError {
    if (principal?.role === "agent" && !this.#spend(principal.name)) {
      const rate = this.#settings.requestsPerSecond;
      return overloaded(`${principal.name} sends more than ${rate} requests a second: slow down`);
    }
    if (this.inFlight >= this.#settings.maxInFlight) return this.#full;
    this.#inFlight++;
    return () => {
      this.#inFlight--;
    };
  }

  /** Takes a token from the principal's bucket, which holds the tokens of one second. */
  #spend(principal: string): boolean {
    const rate = this.#settings.requestsPerSecond;
    if (rate === 0) return true;
    const now = this.#clock.steady();
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
