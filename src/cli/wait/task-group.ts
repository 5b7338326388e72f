/**
 * All tasks with a prefix, which can be many. Only a list of the coordinator shows all of them at one moment,
 * so only a list decides that the condition holds for all. Between two lists, updates say when it is worth
 * asking again: when every task that the list named as open has had an update that settles it.
 */
import { type Condition, verdictOn } from "./condition.ts";

export class TaskGroup {
  readonly #condition: Condition;
  /** Whether one task is enough. */
  readonly #any: boolean;
  /** The tasks that must be settled before the next list. */
  #open = new Set<string>();
  /** The tasks that were settled since the current list was asked for. */
  readonly #settled = new Set<string>();
  #mustList = true;
  #isProven = false;

  constructor(condition: Condition, any: boolean) {
    this.#condition = condition;
    this.#any = any;
  }

  /** Whether the next list can have another result. */
  get mustList(): boolean {
    return this.#mustList;
  }

  /** Whether an update alone has shown that the condition held. */
  get isProven(): boolean {
    return this.#isProven;
  }

  /** Call it before a list is asked for. */
  beginList(): void {
    this.#mustList = false;
    this.#settled.clear();
  }

  /** @param open ids of tasks that the list has shown as open: all, or as many as fit into a page */
  endList(open: readonly string[]): void {
    // An update that came meanwhile may be newer than the list. If it is older, the next list says so.
    this.#open = new Set(open.filter((id) => !this.#settled.has(id)));
    if (open.length > 0 && this.#open.size === 0) this.#mustList = true;
  }

  update(id: string, status: string): void {
    const verdict = verdictOn(status, this.#condition);
    if (verdict === "open") {
      // The only task of a group that was empty.
      if (this.#open.size === 0) this.#open.add(id);
    } else if (this.#any && verdict === "holds") this.#isProven = true;
    else if (this.#any || verdict === "holds") this.settle(id);
    else this.#mustList = true;
  }

  /** The task was removed, or no longer keeps the condition from holding. */
  settle(id: string): void {
    this.#settled.add(id);
    this.#open.delete(id);
    if (this.#open.size === 0) this.#mustList = true;
  }

  /** What was known is no longer true, for example because the bucket was created again. */
  forget(): void {
    this.#mustList = true;
  }
}
