/** How far a long read is, on one line of standard error. Nothing if that is not a terminal. */
const EVERY_MS = 200;
const CLEAR = "\r\u001b[K";

export class Progress implements Disposable {
  readonly #isShown = process.stderr.isTTY;
  #next = performance.now() + EVERY_MS;

  show(revision: number, last: number): void {
    if (!this.#isShown || performance.now() < this.#next) return;
    this.#next = performance.now() + EVERY_MS;
    process.stderr.write(`${CLEAR}revision ${revision} of ${last}`);
  }

  end(): void {
    if (this.#isShown) process.stderr.write(CLEAR);
  }

  [Symbol.dispose](): void {
    this.end();
  }
}
