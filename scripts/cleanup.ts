/** What a scope has started, put away in reverse when it ends; Node 20 has no AsyncDisposableStack. */

export class Cleanup implements AsyncDisposable {
  readonly #steps: (() => PromiseLike<unknown>)[] = [];

  use<T extends AsyncDisposable>(resource: T): T {
    this.#steps.push(() => resource[Symbol.asyncDispose]());
    return resource;
  }

  defer(step: () => Promise<unknown>): void {
    this.#steps.push(step);
  }

  /** Carries out every step, also after one that failed; throws what the first one threw. */
  async [Symbol.asyncDispose](): Promise<void> {
    const errors: unknown[] = [];
    for (const step of this.#steps.splice(0).reverse()) {
      try {
        await step();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }
}
