/**
 * Tasks in an order, which are found and counted by their tags and by how their ids begin, without a look at
 * the others.
 */
import { hasTags } from "./eligibility.ts";
import { SortedList } from "./sorted-list.ts";

export interface Shelved {
  readonly taskId: string;
  readonly tags: readonly string[];
}

export interface ShelfFilter {
  readonly tags: readonly string[];
  /** Only tasks whose id begins with this. */
  readonly prefix: string;
}

/** The tasks with a tag. Most tags of an attacker have a single task, for which a list would be large. */
type Tagged<T extends Shelved> = T | SortedList<T>;

/** Comes after every character of an id. */
const LAST = "\uffff";
/** The tasks that a count looks at. If more have the tag or prefix, it is an estimate from so many. */
const MAX_COUNTED = 2_000;

export class TaskShelf<T extends Shelved> {
  readonly #order: (a: T, b: T) => number;
  readonly #inOrder: SortedList<T>;
  readonly #byId: SortedList<T, Pick<Shelved, "taskId">>;
  readonly #byTag = new Map<string, Tagged<T>>();

  /** `order` must be a total order, in which only tasks with the same id are equal. Default: by id. */
  constructor(order: (a: T, b: T) => number = byId) {
    this.#order = order;
    this.#byId = new SortedList(byId);
    this.#inOrder = order === byId ? this.#byId : new SortedList(order);
  }

  get size(): number {
    return this.#inOrder.size;
  }

  /** Adds the task, or replaces it, with the same fields. */
  add(task: T): void {
    this.#inOrder.set(task);
    if (this.#inOrder !== this.#byId) this.#byId.set(task);
    for (const tag of task.tags) {
      const tagged = this.#byTag.get(tag);
      if (tagged === undefined) this.#byTag.set(tag, task);
      else if (tagged instanceof SortedList) tagged.set(task);
      else if (tagged.taskId === task.taskId) this.#byTag.set(tag, task);
      else {
        const list = new SortedList(this.#order);
        list.set(tagged);
        list.set(task);
        this.#byTag.set(tag, list);
      }
    }
  }

  /** Removes the task, and returns whether it was there. It must have the same fields as when it was added. */
  delete(task: T): boolean {
    if (!this.#inOrder.delete(task)) return false;
    if (this.#inOrder !== this.#byId) this.#byId.delete(task);
    for (const tag of task.tags) {
      const tagged = this.#byTag.get(tag);
      if (tagged === undefined) continue;
      if (tagged instanceof SortedList) {
        tagged.delete(task);
        if (tagged.size > 0) continue;
      }
      this.#byTag.delete(tag);
    }
    return true;
  }

  /** Up to `count` tasks that fit, in order. */
  first(count: number, { tags, prefix }: ShelfFilter): T[] {
    const listed = this.#shortest(tags);
    const found: T[] = [];
    // Mostly some tasks with the prefix are near the front.
    let steps = prefix === "" ? Infinity : this.#countPrefix(prefix);
    for (const task of listed) {
      if (found.length === count || steps-- <= 0) break;
      if (task.taskId.startsWith(prefix) && hasTags(task.tags, tags)) found.push(task);
    }
    if (found.length === count || steps >= 0) return found;
    return this.#firstOf(this.#withPrefix(prefix), count, tags);
  }

  /** How many tasks fit. Exact if only one tag or a prefix is given, or if at most 2,000 tasks have one of these. */
  count({ tags, prefix }: ShelfFilter): number {
    if (tags.length === 0) return prefix === "" ? this.size : this.#countPrefix(prefix);
    const listed = this.#shortest(tags);
    const length = listed instanceof SortedList ? listed.size : listed.length;
    if (tags.length === 1 && prefix === "") return length;
    const inRange = prefix === "" ? Infinity : this.#countPrefix(prefix);
    const candidates = inRange < length ? this.#withPrefix(prefix) : listed;
    let looked = 0;
    let fitting = 0;
    for (const task of candidates) {
      if (looked === MAX_COUNTED) break;
      looked++;
      if (task.taskId.startsWith(prefix) && hasTags(task.tags, tags)) fitting++;
    }
    const all = Math.min(inRange, length);
    return looked < all && looked > 0 ? Math.round((fitting / looked) * all) : fitting;
  }

  /** The tasks with that one of the tags which the fewest have, or all. */
  #shortest(tags: readonly string[]): SortedList<T> | readonly T[] {
    let shortest = this.#inOrder;
    for (const tag of tags) {
      const tagged = this.#byTag.get(tag);
      if (tagged === undefined) return [];
      if (!(tagged instanceof SortedList)) return [tagged];
      if (tagged.size < shortest.size) shortest = tagged;
    }
    return shortest;
  }

  #countPrefix(prefix: string): number {
    return this.#byId.countBetween({ taskId: prefix }, { taskId: prefix + LAST });
  }

  *#withPrefix(prefix: string): Generator<T> {
    for (const task of this.#byId.from({ taskId: prefix })) {
      if (!task.taskId.startsWith(prefix)) return;
      yield task;
    }
  }

  /** The first `count` in order, of tasks in another order. */
  #firstOf(tasks: Iterable<T>, count: number, tags: readonly string[]): T[] {
    const found = new SortedList<T>(this.#order);
    let last: T | undefined;
    for (const task of tasks) {
      if (!hasTags(task.tags, tags)) continue;
      if (last !== undefined && this.#order(task, last) > 0) continue;
      found.set(task);
      if (last !== undefined) found.delete(last);
      if (found.size === count) last = found.last();
    }
    return [...found];
  }
}

function byId(a: Pick<Shelved, "taskId">, b: Pick<Shelved, "taskId">): number {
  return a.taskId < b.taskId ? -1 : a.taskId > b.taskId ? 1 : 0;
}
