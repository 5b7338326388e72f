/**
 * Bounds what the updates of one sender cost by the tasks that depend on the updated one. Other dependencies of a
 * task can make dead ends of all blocked tasks above it, or free them, and each worker looks at all dependencies
 * among these at once. So a sender may have so many looked at in a second. An update of a task with more of them
 * needs a second without another one.
 */
import { CoordinatorError } from "../protocol/errors.ts";
import type { Clock } from "./ports.ts";
import type { TaskIndex } from "./task-index.ts";

/** They take some 20 ms. */
const PER_SECOND = 20_000;
/** With more senders than this, those whose second is over are forgotten. */
const MANY_SENDERS = 1_000;

interface Budget {
  readonly left: number;
  readonly at: number;
}

export class DependentsBudget {
  readonly #tasks: Pick<TaskIndex, "get" | "dependents">;
  readonly #clock: Pick<Clock, "steady">;
  readonly #perSecond: number;
  readonly #budgets = new Map<string, Budget>();
  #sweepAt = MANY_SENDERS;

  constructor(
    tasks: Pick<TaskIndex, "get" | "dependents">,
    clock: Pick<Clock, "steady">,
    perSecond = PER_SECOND,
  ) {
    this.#tasks = tasks;
    this.#clock = clock;
    this.#perSecond = perSecond;
  }

  /** Call this before other dependencies of the task are written. @throws CoordinatorError `overloaded` */
  spend(sender: string, taskId: string): void {
    const now = this.#clock.steady();
    const left = this.#leftOf(sender, now);
    const count = this.#countAbove(taskId, left);
    if (count > left && left < this.#perSecond) {
      throw new CoordinatorError(
        "overloaded",
        `many tasks depend on ${taskId}, directly or through others: wait a second before you update its ` +
          "dependencies again",
      );
    }
    if (count === 0) return;
    this.#budgets.set(sender, { left: Math.max(0, left - count), at: now });
    if (this.#budgets.size >= this.#sweepAt) this.#forgetFull(now);
  }

  #leftOf(sender: string, now: number): number {
    const budget = this.#budgets.get(sender);
    if (budget === undefined) return this.#perSecond;
    const refilled = budget.left + ((now - budget.at) / 1000) * this.#perSecond;
    return Math.min(this.#perSecond, refilled);
  }

  /**
   * The dependencies through which blocked tasks are above it. Each is looked at, also if it leads to a task that
   * was found before. Counts no more than one over the limit.
   */
  #countAbove(taskId: string, limit: number): number {
    const found = new Set<string>();
    const below = [taskId];
    let count = 0;
    for (const id of below) {
      for (const above of this.#tasks.dependents.get(id)) {
        if (++count > limit) return count;
        if (found.has(above) || this.#tasks.get(above)?.status !== "blocked") continue;
        found.add(above);
        below.push(above);
      }
    }
    return count;
  }

  #forgetFull(now: number): void {
    for (const sender of this.#budgets.keys()) {
      if (this.#leftOf(sender, now) === this.#perSecond) this.#budgets.delete(sender);
    }
    this.#sweepAt = Math.max(MANY_SENDERS, 2 * this.#budgets.size);
  }
}
