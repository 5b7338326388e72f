/** How far a watch has come, and waiting for it to come as far as its store. */
import { CoordinatorError } from "../protocol/errors.ts";

const CATCH_UP_MS = 2_000;

export class WatchPosition {
  readonly #listeners: (() => void)[] = [];
  readonly #awaited = new Set<{ readonly revision: number; readonly resolve: () => void }>();
  #revision = 0;
  #isCurrent = false;

  /** The watch has delivered everything up to this revision. */
  get revision(): number {
    return this.#revision;
  }

  /** Whether the watch has delivered what was there when it began. */
  get isCurrent(): boolean {
    return this.#isCurrent;
  }

  /** Resolves when the watch has delivered what was there when it began. */
  untilCurrent(): Promise<void> {
    if (this.#isCurrent) return Promise.resolve();
    return new Promise((resolve) => this.#awaited.add({ revision: 0, resolve }));
  }

  /** Calls the listener whenever the watch is interrupted or has become current. It must not throw. */
  onTurn(listener: () => void): void {
    this.#listeners.push(listener);
  }

  restarted(): void {
    this.#revision = 0;
    this.#isCurrent = false;
    for (const listener of this.#listeners) listener();
  }

  /** To be called when the revision's entry has been taken in. */
  delivered(revision: number): void {
    this.#revision = revision;
    if (this.#isCurrent && this.#awaited.size > 0) this.#wake();
  }

  current(): void {
    this.#isCurrent = true;
    this.#wake();
    for (const listener of this.#listeners) listener();
  }

  /**
   * Waits until the watch has delivered all that its store has now, so that an answer from memory is
   * as fresh as one from the store.
   *
   * @throws CoordinatorError `unavailable` if the watch does not get there in time
   */
  async catchUp(store: { lastRevision(): Promise<number> }): Promise<void> {
    const revision = await store.lastRevision();
    if (this.#isCurrent && this.#revision >= revision) return;
    await new Promise<void>((resolve, reject) => {
      const waiting = {
        revision,
        resolve: () => {
          clearTimeout(timer);
          resolve();
        },
      };
      const timer = setTimeout(() => {
        this.#awaited.delete(waiting);
        reject(
          new CoordinatorError(
            "unavailable",
            "this worker has not caught up with the bucket yet: ask again in a second",
          ),
        );
      }, CATCH_UP_MS);
      this.#awaited.add(waiting);
    });
  }

  #wake(): void {
    for (const waiting of this.#awaited) {
      if (waiting.revision > this.#revision) continue;
      this.#awaited.delete(waiting);
      waiting.resolve();
    }
  }
}
