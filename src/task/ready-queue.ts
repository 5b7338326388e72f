/**
 * The available tasks in the order in which `next` claims them: the most urgent priority first, then in
 * order of creation.
 *
 * Tasks with the same requirements and tags form a group. A session is compared with groups instead of
 * single tasks, and the tasks that do not fit are counted by group. Tasks that are not due yet are in the
 * second list of their group until their `notBefore`.
 */
import { hasTags, missingCapabilities } from "./eligibility.ts";
import { SortedList } from "./sorted-list.ts";

export interface ReadyTask {
  readonly taskId: string;
  readonly priority: number;
  /** `null` if it is not known: the task then comes before all others of its priority. */
  readonly createdRevision: number | null;
  readonly notBefore: number | null;
  readonly requires: readonly string[];
  readonly tags: readonly string[];
}

/** What a `next` request asks for. */
export interface ReadyFilter {
  readonly capabilities: readonly string[];
  readonly tags: readonly string[];
  /** Only tasks whose id begins with this. */
  readonly prefix: string;
}

/** How many available tasks a filter excludes, by reason. */
export interface Withheld {
  readonly capabilities: number;
  readonly tags: number;
  readonly prefix: number;
  readonly notDue: number;
  /** When the first of the tasks counted in `notDue` falls due. */
  readonly nextDueAt: number | null;
}

interface Group {
  readonly requires: readonly string[];
  readonly tags: readonly string[];
  readonly due: SortedList<ReadyTask>;
  readonly delayed: SortedList<ReadyTask>;
}

export class ReadyQueue {
  readonly #groups = new Map<string, Group>();
  readonly #dueListeners: ((taskId: string) => void)[] = [];

  get size(): number {
    let size = 0;
    for (const { due, delayed } of this.#groups.values()) size += due.size + delayed.size;
    return size;
  }

  /** How many tasks are not due yet. */
  get delayedCount(): number {
    let count = 0;
    for (const { delayed } of this.#groups.values()) count += delayed.size;
    return count;
  }

  /** Adding a task again replaces it. */
  add(task: ReadyTask, now: number): void {
    const group = this.#groupOf(task);
    const isDelayed = task.notBefore !== null && task.notBefore > now;
    (isDelayed ? group.delayed : group.due).set(task);
  }

  /** Does nothing if the task is not here. It must have the same fields as when it was added. */
  delete(task: ReadyTask): void {
    const key = signature(task);
    const group = this.#groups.get(key);
    if (group === undefined) return;
    if (!group.due.delete(task)) group.delayed.delete(task);
    if (group.due.size + group.delayed.size === 0) this.#groups.delete(key);
  }

  /** Calls the listener for each task that `promoteDue` makes claimable. */
  onDue(listener: (taskId: string) => void): void {
    this.#dueListeners.push(listener);
  }

  /** Makes the tasks claimable that have fallen due. */
  promoteDue(now: number): void {
    const promoted: ReadyTask[] = [];
    for (const group of this.#groups.values()) {
      for (let task = group.delayed.first(); task !== undefined; task = group.delayed.first()) {
        if ((task.notBefore ?? 0) > now) break;
        group.delayed.delete(task);
        group.due.set(task);
        promoted.push(task);
      }
    }
    for (const { taskId } of promoted) for (const listener of this.#dueListeners) listener(taskId);
  }

  /** When the next delayed task of any group falls due. */
  nextDueAt(): number | null {
    let due: number | null = null;
    for (const { delayed } of this.#groups.values()) {
      due = earlier(due, delayed.first()?.notBefore ?? null);
    }
    return due;
  }

  /** Up to `count` due tasks that fit the filter, best first. */
  best(count: number, filter: ReadyFilter): ReadyTask[] {
    const capabilities = new Set(filter.capabilities);
    const lists: { readonly iterator: Iterator<ReadyTask>; head: ReadyTask }[] = [];
    const headOf = (iterator: Iterator<ReadyTask>): ReadyTask | undefined => {
      for (let item = iterator.next(); item.done !== true; item = iterator.next()) {
        if (item.value.taskId.startsWith(filter.prefix)) return item.value;
      }
      return undefined;
    };
    for (const group of this.#groups.values()) {
      if (missingCapabilities(group.requires, capabilities).length > 0) continue;
      if (!hasTags(group.tags, filter.tags)) continue;
      const iterator = group.due[Symbol.iterator]();
      const head = headOf(iterator);
      if (head !== undefined) lists.push({ iterator, head });
    }
    const found: ReadyTask[] = [];
    while (found.length < count && lists.length > 0) {
      const least = lists.reduce((a, b) => (byUrgency(a.head, b.head) <= 0 ? a : b));
      found.push(least.head);
      const head = headOf(least.iterator);
      if (head === undefined) lists.splice(lists.indexOf(least), 1);
      else least.head = head;
    }
    return found;
  }

  withheld(filter: ReadyFilter): Withheld {
    const capabilities = new Set(filter.capabilities);
    const counts = { capabilities: 0, tags: 0, prefix: 0, notDue: 0 };
    let nextDueAt: number | null = null;
    for (const { requires, tags, due, delayed } of this.#groups.values()) {
      const size = due.size + delayed.size;
      if (missingCapabilities(requires, capabilities).length > 0) {
        counts.capabilities += size;
      } else if (!hasTags(tags, filter.tags)) {
        counts.tags += size;
      } else {
        const waiting = withPrefix(delayed, filter.prefix);
        counts.notDue += waiting.count;
        counts.prefix += size - waiting.count - withPrefix(due, filter.prefix).count;
        nextDueAt = earlier(nextDueAt, waiting.first?.notBefore ?? null);
      }
    }
    return { ...counts, nextDueAt };
  }

  #groupOf(task: ReadyTask): Group {
    const key = signature(task);
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = {
        requires: task.requires,
        tags: task.tags,
        due: new SortedList(byUrgency),
        delayed: new SortedList(byDueTime),
      };
      this.#groups.set(key, group);
    }
    return group;
  }
}

function signature(task: ReadyTask): string {
  if (task.requires.length === 0 && task.tags.length === 0) return "";
  return JSON.stringify([[...task.requires].sort(), [...task.tags].sort()]);
}

function earlier(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b);
}

/** How many ids in the list begin with the prefix, and the first of these tasks. */
function withPrefix(
  list: SortedList<ReadyTask>,
  prefix: string,
): { readonly count: number; readonly first: ReadyTask | undefined } {
  if (prefix === "") return { count: list.size, first: list.first() };
  let count = 0;
  let first: ReadyTask | undefined;
  for (const task of list) {
    if (!task.taskId.startsWith(prefix)) continue;
    first ??= task;
    count++;
  }
  return { count, first };
}

/** The order in which ready tasks are claimed. */
export function byUrgency(a: ReadyTask, b: ReadyTask): number {
  return a.priority - b.priority || createdIn(a) - createdIn(b) || byId(a, b);
}

function createdIn({ createdRevision }: ReadyTask): number {
  return createdRevision ?? 0;
}

function byDueTime(a: ReadyTask, b: ReadyTask): number {
  return (a.notBefore ?? 0) - (b.notBefore ?? 0) || byId(a, b);
}

function byId(a: ReadyTask, b: ReadyTask): number {
  return a.taskId < b.taskId ? -1 : a.taskId > b.taskId ? 1 : 0;
}
