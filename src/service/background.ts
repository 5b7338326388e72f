/** What background work shares: the context of the service, and one limit. */
import type { ServiceContext } from "./ports.ts";

export interface BackgroundContext extends ServiceContext {
  readonly limiter: Limiter;
}

/** Runs at most `max` pieces of work at a time, in the order in which they came. */
export class Limiter {
  readonly #max: number;
  readonly #queue: (() => void)[] = [];
  #running = 0;

  constructor(max: number) {
    this.#max = max;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#max) {
      // Work that ends hands its place over, so that nothing slips in between.
      await new Promise<void>((resolve) => this.#queue.push(resolve));
    } else this.#running++;
    try {
      return await work();
    } finally {
      const next = this.#queue.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
