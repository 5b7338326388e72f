/**
 * The available tasks in the order in which `next` claims them: the most urgent priority first, then in
 * order of creation.
 *
 * Tasks with the same requirements form a group. A session looks only at groups that share a capability with
 * it, and there only at tasks with its tags or prefix. So tasks that it cannot get cost it nothing, however
 * many there are. Tasks that are not due yet are on the second shelf of their group until their `notBefore`.
 */
import { missingCapabilities } from "./eligibility.ts";
import { SortedList } from "./sorted-list.ts";
import { TaskShelf } from "./task-shelf.ts";

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

/** How many available tasks a filter excludes, by reason. The numbers can be estimates as those of a shelf. */
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
  /** The required capability under which it is found; `null`: it requires none. */
  readonly filedUnder: string | null;
  readonly due: TaskShelf<ReadyTask>;
  readonly delayed: TaskShelf<ReadyTask>;
}

export class ReadyQueue {
  readonly #groups = new Map<string, Group>();
  /** The groups that require something, each under one capability. */
  readonly #byCapability = new Map<string, Set<Group>>();
  readonly #delayed = new SortedList<ReadyTask>(byDueTime);
  readonly #dueListeners: ((taskId: string) => void)[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** How many tasks are not due yet. */
  get delayedCount(): number {
    return this.#delayed.size;
  }

  /** Adding a task again replaces it. */
  add(task: ReadyTask, now: number): void {
    const group = this.#groupOf(task);
    const before = sizeOf(group);
    if (task.notBefore !== null && task.notBefore > now) {
      group.delayed.add(task);
      this.#delayed.set(task);
    } else {
      group.due.add(task);
    }
    this.#size += sizeOf(group) - before;
  }

  /** Does nothing if the task is not here. It must have the same fields as when it was added. */
  delete(task: ReadyTask): void {
    const key = signature(task);
    const group = this.#groups.get(key);
    if (group === undefined) return;
    if (!group.due.delete(task)) {
      if (!group.delayed.delete(task)) return;
      this.#delayed.delete(task);
    }
    this.#size--;
    if (sizeOf(group) === 0) this.#drop(key, group);
  }

  /** Calls the listener for each task that `promoteDue` makes claimable. */
  onDue(listener: (taskId: string) => void): void {
    this.#dueListeners.push(listener);
  }

  /** Makes the tasks claimable that have fallen due. */
  promoteDue(now: number): void {
    const promoted: ReadyTask[] = [];
    for (let task = this.#delayed.first(); task !== undefined; task = this.#delayed.first()) {
      if ((task.notBefore ?? 0) > now) break;
      this.#delayed.delete(task);
      const group = this.#groupOf(task);
      group.delayed.delete(task);
      group.due.add(task);
      promoted.push(task);
    }
    for (const { taskId } of promoted) for (const listener of this.#dueListeners) listener(taskId);
  }

  /** When the next delayed task falls due. */
  nextDueAt(): number | null {
    return this.#delayed.first()?.notBefore ?? null;
  }

  /** Up to `count` due tasks that fit the filter, best first. */
  best(count: number, filter: ReadyFilter): ReadyTask[] {
    const groups = this.#groupsFor(filter.capabilities);
    const [only] = groups;
    if (only === undefined) return [];
    if (groups.length === 1) return only.due.first(count, filter);
    const heads = groups.flatMap((group) => {
      const [head] = group.due.first(1, filter);
      return head === undefined ? [] : [{ head, group }];
    });
    let found: ReadyTask[] = [];
    for (const { head, group } of heads.sort((a, b) => byUrgency(a.head, b.head))) {
      const last = found[count - 1];
      if (last !== undefined && byUrgency(last, head) < 0) break;
      const more = count === 1 ? [head] : group.due.first(count, filter);
      found = [...found, ...more].sort(byUrgency).slice(0, count);
    }
    return found;
  }

  /** Whether there are tasks that require more than these capabilities. */
  withholdsFrom(capabilities: readonly string[]): boolean {
    let size = 0;
    for (const group of this.#groupsFor(capabilities)) size += sizeOf(group);
    return size < this.#size;
  }

  withheld(filter: ReadyFilter): Withheld {
    const counts = { capabilities: this.#size, tags: 0, prefix: 0, notDue: 0 };
    const { tags } = filter;
    let nextDueAt: number | null = null;
    for (const group of this.#groupsFor(filter.capabilities)) {
      const { due, delayed } = group;
      const size = sizeOf(group);
      const tagged = due.count({ tags, prefix: "" }) + delayed.count({ tags, prefix: "" });
      const fitting = due.count(filter);
      const waiting = delayed.count(filter);
      counts.capabilities -= size;
      counts.tags += size - tagged;
      counts.prefix += Math.max(0, tagged - fitting - waiting);
      counts.notDue += waiting;
      const [next] = waiting === 0 ? [] : delayed.first(1, filter);
      nextDueAt = earlier(nextDueAt, next?.notBefore ?? null);
    }
    return { ...counts, nextDueAt };
  }

  /** The groups whose tasks require no more than these capabilities. */
  #groupsFor(capabilities: readonly string[]): Group[] {
    const free = this.#groups.get(NOTHING);
    const groups = free === undefined ? [] : [free];
    if (capabilities.length === 0 || this.#byCapability.size === 0) return groups;
    const offered = new Set(capabilities);
    for (const capability of offered) {
      for (const group of this.#byCapability.get(capability) ?? []) {
        if (missingCapabilities(group.requires, offered).length === 0) groups.push(group);
      }
    }
    return groups;
  }

  #groupOf(task: ReadyTask): Group {
    const key = signature(task);
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = {
        requires: task.requires,
        filedUnder: this.#rarest(task.requires),
        due: new TaskShelf(byUrgency),
        delayed: new TaskShelf(byDueTime),
      };
      this.#groups.set(key, group);
      this.#file(group);
    }
    return group;
  }

  /** Groups that differ in rare capabilities are not found by those who have only the common ones. */
  #rarest(requires: readonly string[]): string | null {
    let rarest: string | null = null;
    let fewest = Infinity;
    for (const capability of requires) {
      const count = this.#byCapability.get(capability)?.size ?? 0;
      if (count >= fewest) continue;
      rarest = capability;
      fewest = count;
    }
    return rarest;
  }

  #file(group: Group): void {
    const { filedUnder } = group;
    if (filedUnder === null) return;
    const others = this.#byCapability.get(filedUnder);
    if (others === undefined) this.#byCapability.set(filedUnder, new Set([group]));
    else others.add(group);
  }

  #drop(key: string, group: Group): void {
    this.#groups.delete(key);
    const { filedUnder } = group;
    if (filedUnder === null) return;
    const others = this.#byCapability.get(filedUnder);
    others?.delete(group);
    if (others?.size === 0) this.#byCapability.delete(filedUnder);
  }
}

/** The signature of tasks that require nothing. */
const NOTHING = "";

function signature({ requires }: ReadyTask): string {
  return requires.length === 0 ? NOTHING : JSON.stringify([...requires].sort());
}

function sizeOf({ due, delayed }: Group): number {
  return due.size + delayed.size;
}

function earlier(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b);
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
