/**
 * When a watch asks for more. Each time a worker is woken costs more than the message that woke it. So under
 * load, a watch waits some milliseconds before it asks again, and receives what was written meanwhile in one
 * batch. When there is little traffic, it asks at once: then the server sends the next message as soon as
 * there is one.
 */

export interface PaceOptions {
  /** A request that is answered within this time shows load. */
  readonly quietMs: number;
  /** Under load, the time between two requests. The worker answers from a state that is as old. */
  readonly newsMs: number;
  /** The same if the last answer had only what this worker knew, because it had written it. */
  readonly ownMs: number;
}

export const USUAL_PACE: PaceOptions = { quietMs: 5, newsMs: 3, ownMs: 20 };

export class PullPace {
  readonly #options: PaceOptions;
  #askedAt = 0;
  #isAnswered = false;
  #isBusy = false;
  #hasNews = false;
  #awaited = 0;
  #delivered = 0;

  constructor(options: PaceOptions) {
    this.#options = options;
  }

  asked(now: number): void {
    this.#askedAt = now;
    this.#isAnswered = false;
    this.#isBusy = false;
    this.#hasNews = false;
  }

  /** @param isNews whether this worker did not know the message */
  delivered(sequence: number, now: number, isNews: boolean): void {
    if (!this.#isAnswered) {
      this.#isAnswered = true;
      this.#isBusy = now - this.#askedAt < this.#options.quietMs;
    }
    this.#delivered = sequence;
    if (isNews) this.#hasNews = true;
  }

  /** Somebody waits for this sequence: no delay until it has been delivered. */
  await(sequence: number): void {
    this.#awaited = Math.max(this.#awaited, sequence);
  }

  /** Milliseconds until the next request, if the answer has ended now. */
  delay(now: number): number {
    if (!this.#isBusy || this.#awaited > this.#delivered) return 0;
    const { newsMs, ownMs } = this.#options;
    return Math.max(0, this.#askedAt + (this.#hasNews ? newsMs : ownMs) - now);
  }
}
