/** The tasks as a subscriber sees them: only its updates change this state. */
import type { TaskUpdate } from "../client/task-update.ts";

export class Board {
  /** Every write that was told, in the order in which it was told. */
  readonly told: { readonly taskId: string; readonly revision: number }[] = [];
  /** When the last update arrived, by `performance.now()`. */
  changedAt = performance.now();
  readonly #statuses = new Map<string, string>();
  readonly #counts = new Map<string, number>();

  apply({ task_id, new_status, revision }: TaskUpdate): void {
    const before = this.#statuses.get(task_id);
    if (before !== undefined) this.#counts.set(before, this.count(before) - 1);
    this.#statuses.set(task_id, new_status);
    this.#counts.set(new_status, this.count(new_status) + 1);
    this.told.push({ taskId: task_id, revision });
    this.changedAt = performance.now();
  }

  count(status: string): number {
    return this.#counts.get(status) ?? 0;
  }
}
