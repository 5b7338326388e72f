/**
 * Requests that arrive twice, because of the network or of a client that repeats them. Some requests of a
 * session are sent a second time, at once or seconds later, when much may have changed. The recording has
 * each as an operation with its own answer.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Random } from "../../src/simulation/random.ts";

const SHARE = 0.08;
const AT_ONCE = 0.5;
/** More than the longest lease of the sessions. */
const LATEST_MS = 10_000;

export class Repeats {
  /** Rejects if a repetition is told what no session should ever be told. */
  readonly failed: Promise<never>;
  readonly #random: Random;
  readonly #signal: AbortSignal;
  readonly #underWay = new Set<Promise<void>>();
  #fail: (reason: unknown) => void = () => undefined;

  constructor(random: Random, signal: AbortSignal) {
    this.#random = random;
    this.#signal = signal;
    this.failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.failed.catch(() => undefined);
  }

  /** Sends the request a second time, or not, by chance. The caller sends the first. */
  perhaps(ask: () => Promise<unknown>): void {
    if (this.#random() >= SHARE) return;
    const afterMs = this.#random() < AT_ONCE ? 0 : this.#random() * LATEST_MS;
    const repeated = this.#later(ask, afterMs).catch(this.#fail);
    this.#underWay.add(repeated);
    void repeated.finally(() => this.#underWay.delete(repeated));
  }

  /** Resolves when no repetition is under way. */
  async end(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  async #later(ask: () => Promise<unknown>, afterMs: number): Promise<void> {
    // The first request goes first. A repetition that waits when the run ends is sent then.
    await delay(afterMs, undefined, { signal: this.#signal }).catch(() => undefined);
    await ask();
  }
}
