/** Work on tasks in the background: for each task one after the other. */
import type { Observe } from "./ports.ts";

export class PerTaskQueue {
  readonly #what: string;
  readonly #observe: Observe;
  readonly #last = new Map<string, Promise<void>>();

  /** `what`: the name of the work, for its failures, which are told and nothing else. */
  constructor(what: string, observe: Observe) {
    this.#what = what;
    this.#observe = observe;
  }

  /** Begins when the work on the task that was added before has ended. */
  add(taskId: string, work: () => Promise<void>): void {
    const before = this.#last.get(taskId) ?? Promise.resolve();
    const queued: Promise<void> = before
      .then(work)
      .catch((cause: unknown) => {
        this.#observe({ kind: "background_error", what: `${this.#what} of ${taskId}`, cause });
      })
      .finally(() => {
        if (this.#last.get(taskId) === queued) this.#last.delete(taskId);
      });
    this.#last.set(taskId, queued);
  }

  isBusy(taskId: string): boolean {
    return this.#last.has(taskId);
  }

  /** Resolves when the work on the task, or on all, that has been added has ended. */
  async drain(taskId?: string): Promise<void> {
    if (taskId === undefined) await Promise.all(this.#last.values());
    else await this.#last.get(taskId);
  }
}
