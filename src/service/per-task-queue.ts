/** Runs background work on tasks: for each task one piece after the other. */
import type { Observe } from "./ports.ts";

export class PerTaskQueue {
  readonly #what: string;
  readonly #observe: Observe;
  readonly #last = new Map<string, Promise<void>>();

  /** `what`: the name of the work. If a piece fails, this is reported and the next one runs. */
  constructor(what: string, observe: Observe) {
    this.#what = what;
    this.#observe = observe;
  }

  /** Runs the work when all earlier work on the task has ended. */
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

  /** Resolves when the work that has been added has ended: for the task, or for all of them. */
  async drain(taskId?: string): Promise<void> {
    if (taskId === undefined) await Promise.all(this.#last.values());
    else await this.#last.get(taskId);
  }
}
