/**
 * Requests that arrive twice, as networks and clients that ask again have it: some of those of a session
 * are carried out a second time, at once or seconds later, by when much may have changed. Each is an
 * operation of its own in the recording, with an answer of its own.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Random } from "../../src/simulation/random.ts";

const SHARE = 0.08;
const AT_ONCE = 0.5;
/** The longest lease of the sessions and more. */
const LATEST_MS = 7_000;

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

  /** Asks again by chance, beside whoever asks first. */
  perhaps(ask: () => Promise<unknown>): void {
    if (this.#random() >= SHARE) return;
    const afterMs = this.#random() < AT_ONCE ? 0 : this.#random() * LATEST_MS;
    const repeated = this.#later(ask, afterMs).catch(this.#fail);
    this.#underWay.add(repeated);
    void repeated.finally(() => this.#underWay.delete(repeated));
  }

  /** Resolves when none is under way any more. */
  async end(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  async #later(ask: () => Promise<unknown>, afterMs: number): Promise<void> {
    // The first one goes first; what waits when the run ends is asked for then.
    await delay(afterMs, undefined, { signal: this.#signal }).catch(() => undefined);
    await ask();
  }
}
