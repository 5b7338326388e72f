/** Lets a loop sleep until something has happened, or a signal ends the wait. */

export class WakeUp {
  readonly #signal: AbortSignal;
  #isPending = false;
  #wake: () => void = () => undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener("abort", () => {
      this.#wake();
    });
  }

  /** Something has happened. If nobody sleeps, the next `sleep` ends at once. */
  notify(): void {
    this.#isPending = true;
    this.#wake();
  }

  /** Resolves to whether something has happened. `false`: the signal has ended the wait. */
  async sleep(): Promise<boolean> {
    if (!this.#isPending && !this.#signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const hasHappened = this.#isPending;
    this.#isPending = false;
    return hasHappened;
  }
}
