/** Lets who asks for a piece of work wait until it is done, whether that comes first or the question. */

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class Completions {
  readonly #done = new Set<number>();
  readonly #waiting = new Map<number, Waiting>();
  #failure: Error | null = null;

  complete(index: number): void {
    this.#done.add(index);
    this.#waiting.get(index)?.resolve();
    this.#waiting.delete(index);
  }

  /** Nothing more will be done. */
  fail(error: Error): void {
    this.#failure = error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  /** @throws Error if it has failed */
  check(): void {
    if (this.#failure !== null) throw this.#failure;
  }

  /** @throws Error if it fails before */
  async until(index: number): Promise<void> {
    this.check();
    if (this.#done.has(index)) return;
    await new Promise<void>((resolve, reject) => {
      this.#waiting.set(index, { resolve, reject });
    });
  }
}
