/** Draws when something has changed, but not more often than the eye can follow; and now and then by itself. */

/** 10 times a second. */
const SHORTEST_MS = 100;
/** Drawing takes at most a quarter of the time of the process. */
const PAUSE_FACTOR = 3;
/** The durations on the screen count seconds. */
const LONGEST_MS = 1_000;

export class Redraws {
  readonly #draw: () => void;
  #notBefore = 0;
  #timer: NodeJS.Timeout | null = null;
  #dueAt = Infinity;
  #isStopped = false;

  constructor(draw: () => void) {
    this.#draw = draw;
  }

  /** Something has changed. */
  request(): void {
    this.#schedule(this.#notBefore);
  }

  stop(): void {
    this.#isStopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #schedule(at: number): void {
    if (this.#isStopped || at >= this.#dueAt) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#dueAt = at;
    this.#timer = setTimeout(
      () => {
        this.#now();
      },
      Math.max(0, at - performance.now()),
    );
  }

  #now(): void {
    this.#dueAt = Infinity;
    const began = performance.now();
    this.#draw();
    const now = performance.now();
    this.#notBefore = Math.max(began + SHORTEST_MS, now + (now - began) * PAUSE_FACTOR);
    this.#schedule(now + LONGEST_MS);
  }
}
