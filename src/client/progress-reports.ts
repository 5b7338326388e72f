/** Sends progress reports, one at a time and at most one a second. Of several within a second, it sends the last. */

const INTERVAL_MS = 1_000;

export class ProgressReports {
  readonly #send: (progress: unknown) => Promise<void>;
  #next: { readonly progress: unknown } | null = null;
  #isBusy = false;
  #isStopped = false;
  #timer: NodeJS.Timeout | undefined;

  /** `send` must not reject. */
  constructor(send: (progress: unknown) => Promise<void>) {
    this.#send = send;
  }

  report(progress: unknown): void {
    this.#next = { progress };
    this.#sendNext();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #sendNext(): void {
    const next = this.#next;
    if (this.#isBusy || this.#isStopped || next === null) return;
    this.#isBusy = true;
    this.#next = null;
    void this.#send(next.progress).then(() => {
      if (this.#isStopped) return;
      this.#timer = setTimeout(() => {
        this.#isBusy = false;
        this.#sendNext();
      }, INTERVAL_MS);
    });
  }
}
