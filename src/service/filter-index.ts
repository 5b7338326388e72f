/**
 * Finds the filters that a task may fit, out of thousands.
 *
 * A filter is filed under its first tag or, without tags, under its prefix. So a task is compared only with
 * filters that share a tag or a prefix with it, and the filters of others cost it nothing.
 */
import type { ReadyFilter } from "../task/ready-queue.ts";

interface Filtered {
  readonly filter: ReadyFilter;
}

export class FilterIndex<Item extends Filtered> {
  readonly #byTag = new Map<string, Set<Item>>();
  readonly #byPrefix = new Map<string, Set<Item>>();
  /** How many different prefixes of each length there are. */
  readonly #lengths = new Map<number, number>();

  add(item: Item): void {
    const [tag] = item.filter.tags;
    if (tag !== undefined) {
      addTo(this.#byTag, tag, item);
      return;
    }
    const { prefix } = item.filter;
    if (!addTo(this.#byPrefix, prefix, item)) return;
    this.#lengths.set(prefix.length, (this.#lengths.get(prefix.length) ?? 0) + 1);
  }

  delete(item: Item): void {
    const [tag] = item.filter.tags;
    if (tag !== undefined) {
      deleteFrom(this.#byTag, tag, item);
      return;
    }
    const { prefix } = item.filter;
    if (!deleteFrom(this.#byPrefix, prefix, item)) return;
    const left = (this.#lengths.get(prefix.length) ?? 0) - 1;
    if (left > 0) this.#lengths.set(prefix.length, left);
    else this.#lengths.delete(prefix.length);
  }

  /** Sets that contain all items that the task fits, and perhaps others. */
  candidates(task: {
    readonly taskId: string;
    readonly tags: readonly string[];
  }): ReadonlySet<Item>[] {
    const sets: ReadonlySet<Item>[] = [];
    for (const tag of task.tags) {
      const set = this.#byTag.get(tag);
      if (set !== undefined) sets.push(set);
    }
    for (const length of this.#lengths.keys()) {
      if (length > task.taskId.length) continue;
      const set = this.#byPrefix.get(task.taskId.slice(0, length));
      if (set !== undefined) sets.push(set);
    }
    return sets;
  }
}

/** Returns whether it is the first item with this key. */
function addTo<Item>(sets: Map<string, Set<Item>>, key: string, item: Item): boolean {
  const set = sets.get(key);
  set?.add(item);
  if (set === undefined) sets.set(key, new Set([item]));
  return set === undefined;
}

/** Returns whether it was the last item with this key. */
function deleteFrom<Item>(sets: Map<string, Set<Item>>, key: string, item: Item): boolean {
  const set = sets.get(key);
  set?.delete(item);
  return set?.size === 0 && sets.delete(key);
}
