/**
 * Delays writes that nobody waits for by a moment, so that several leave in one packet and are
 * acknowledged in one. With few requests under way, a packet costs more than what it contains.
 */
export class Coalescer {
  readonly #ms: number;
  #moment: Promise<void> | null = null;

  /** `ms`: how long the first caller waits. */
  constructor(ms: number) {
    this.#ms = ms;
  }

  /** Resolves for all callers of the same moment at once. */
  wait(): Promise<void> {
    this.#moment ??= new Promise((resolve) => {
      setTimeout(() => {
        this.#moment = null;
        resolve();
      }, this.#ms);
    });
    return this.#moment;
  }
}
