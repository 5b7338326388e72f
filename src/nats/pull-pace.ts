/**
 * When a watch asks for more. Each time a worker is woken costs more than the message that woke it. So under
 * load, a watch waits some milliseconds before it asks again, and receives what was written meanwhile in one
 * batch. When there is little traffic, it asks at once: then the server sends the next message as soon as
 * there is one.
 */

export interface PaceOptions {
  /** Load: so many messages came within the time `windowMs`. */
  readonly busyMessages: number;
  readonly windowMs: number;
  /** Under load, the time between two requests. The worker answers from a state that is as old. */
  readonly newsMs: number;
  /** The same if the last answer had only what this worker knew, because it had written it. */
  readonly ownMs: number;
}

/** A thousand messages a second are load. */
export const USUAL_PACE: PaceOptions = { busyMessages: 50, windowMs: 50, newsMs: 3, ownMs: 10 };

export class PullPace {
  readonly #options: PaceOptions;
  #askedAt = 0;
  #windowAt = 0;
  /** The messages in this window, and in the one before it. */
  #count = 0;
  #countBefore = 0;
  #hasNews = false;
  #awaited = 0;
  #delivered = 0;

  constructor(options: PaceOptions) {
    this.#options = options;
  }

  asked(now: number): void {
    this.#askedAt = now;
    this.#hasNews = false;
  }

  /** @param isNews whether this worker did not know the message */
  delivered(sequence: number, now: number, isNews: boolean): void {
    this.#turnWindow(now);
    this.#count++;
    this.#delivered = sequence;
    if (isNews) this.#hasNews = true;
  }

  /** Somebody waits for this sequence: no delay until it has been delivered. */
  await(sequence: number): void {
    this.#awaited = Math.max(this.#awaited, sequence);
  }

  /** Milliseconds until the next request, if the answer has ended now. */
  delay(now: number): number {
    this.#turnWindow(now);
    const { busyMessages, newsMs, ownMs } = this.#options;
    const isBusy = Math.max(this.#count, this.#countBefore) >= busyMessages;
    if (!isBusy || this.#awaited > this.#delivered) return 0;
    return Math.max(0, this.#askedAt + (this.#hasNews ? newsMs : ownMs) - now);
  }

  #turnWindow(now: number): void {
    const { windowMs } = this.#options;
    const age = now - this.#windowAt;
    if (age < windowMs) return;
    this.#countBefore = age < 2 * windowMs ? this.#count : 0;
    this.#count = 0;
    this.#windowAt = now;
  }
}
