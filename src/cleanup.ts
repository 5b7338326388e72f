/**
 * Undoes what a scope has started, in reverse order. It takes the place of AsyncDisposableStack, which
 * Node 20 does not have.
 */

export class Cleanup implements AsyncDisposable {
  readonly #steps: (() => PromiseLike<unknown>)[] = [];

  use<T extends AsyncDisposable>(resource: T): T {
    this.#steps.push(() => resource[Symbol.asyncDispose]());
    return resource;
  }

  defer(step: () => Promise<unknown>): void {
    this.#steps.push(step);
  }

  /** Carries out every step, even if another one fails; throws what the first failure threw. */
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

/**
 * Starts something that is stopped later, by disposing of the cleanup. If `start` fails, everything that it
 * has added to the cleanup is undone at once.
 *
 * @throws what `start` throws, even if the cleanup fails as well
 */
export async function startWithCleanup<T>(start: (cleanup: Cleanup) => Promise<T>): Promise<T> {
  const cleanup = new Cleanup();
  try {
    return await start(cleanup);
  } catch (error) {
    await cleanup[Symbol.asyncDispose]().catch(() => undefined);
    throw error;
  }
}
