/** The position of a watch in its bucket, and waiting until the watch has caught up with the bucket. */
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

  /** Whether the watch has delivered the state with which it began. */
  get isCurrent(): boolean {
    return this.#isCurrent;
  }

  /** Resolves when the watch has delivered the state with which it began. */
  untilCurrent(): Promise<void> {
    if (this.#isCurrent) return Promise.resolve();
    return new Promise((resolve) => this.#awaited.add({ revision: 0, resolve }));
  }

  /** Calls the listener each time the watch is interrupted or becomes current. It must not throw. */
  onCurrentChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  restarted(): void {
    this.#revision = 0;
    this.#isCurrent = false;
    for (const listener of this.#listeners) listener();
  }

  /** Call this when the entry of the revision has been taken in. */
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
   * Waits until the watch has delivered all that the store has now. Then an answer from memory is as fresh
   * as one from the store.
   *
   * @throws CoordinatorError `unavailable` if that takes longer than 2 s
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
