/** Draws when something has changed, but not more often than the eye can follow; and now and then by itself. */

/** 10 times a second. */
const SHORTEST_MS = 100;
/** Drawing takes at most a quarter of the time of the process. */
const PAUSE_FACTOR = 3;
/** The durations on the screen count seconds. */
const LONGEST_MS = 1_000;

/** The time in milliseconds, and a timer. */
export interface Timing {
  now(): number;
  /** @returns a function that stops the timer */
  after(ms: number, callback: () => void): () => void;
}

const REAL_TIMING: Timing = {
  now: () => performance.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => {
      clearTimeout(timer);
    };
  },
};

export class Redraws {
  readonly #draw: () => void;
  readonly #timing: Timing;
  #notBefore = 0;
  #dueAt = Infinity;
  #cancel: () => void = () => undefined;
  #isStopped = false;

  constructor(draw: () => void, timing = REAL_TIMING) {
    this.#draw = draw;
    this.#timing = timing;
  }

  /** Something has changed. */
  request(): void {
    this.#schedule(this.#notBefore);
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel();
  }

  #schedule(at: number): void {
    if (this.#isStopped || at >= this.#dueAt) return;
    this.#cancel();
    this.#dueAt = at;
    this.#cancel = this.#timing.after(Math.max(0, at - this.#timing.now()), () => {
      this.#now();
    });
  }

  #now(): void {
    this.#dueAt = Infinity;
    const began = this.#timing.now();
    this.#draw();
    const ended = this.#timing.now();
    this.#notBefore = Math.max(began + SHORTEST_MS, ended + (ended - began) * PAUSE_FACTOR);
    this.#schedule(began + LONGEST_MS);
  }
}
