/**
 * Lets what can wait a moment wait for more of its kind, so that all of it leaves in one piece and is
 * answered in one: with few requests under way, each piece costs more than what is in it.
 */
export class Coalescer {
  readonly #ms: number;
  #moment: Promise<void> | null = null;

  /** `ms`: how long the first one waits. */
  constructor(ms: number) {
    this.#ms = ms;
  }

  /** Resolves for all who wait at the same time. */
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
