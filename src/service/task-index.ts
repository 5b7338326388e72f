/**
 * What this worker knows of the tasks: fed by the watch and by its own writes, it proposes, and the
 * compare-and-set decides. It may lag behind; nothing is refused on its word alone.
 */
import { SortedList } from "../task/sorted-list.ts";
import { ReadyQueue } from "../task/ready-queue.ts";
import { isFinished, type Task, TASK_STATUSES, type TaskStatus } from "../task/task.ts";
import { DeadEnds } from "./dead-ends.ts";
import type { TaskEntry, Watch } from "./ports.ts";
import { WatchPosition } from "../watched/watch-position.ts";
import { SetMap } from "./set-map.ts";

/** A readable task and the revision of its record. */
export interface KnownTask {
  readonly task: Task;
  readonly revision: number;
}

/** What the order of creation goes by. */
type CreationKey = Pick<Task, "createdRevision" | "taskId">;

/** What a listener hears of: `before` is `null` for a new task, `after` for one that is gone. */
export interface TaskChange {
  readonly taskId: string;
  readonly before: Task | null;
  readonly after: Task | null;
}

export class TaskIndex implements Watch<TaskEntry> {
  readonly position = new WatchPosition();
  /** Available tasks, without those that somebody here is just claiming. */
  readonly ready = new ReadyQueue();
  /** Tasks that name this one in `dependsOn`. */
  readonly dependents = new SetMap();
  /** Tasks that a session holds. */
  readonly claims = new SetMap();
  /** Tasks that are held by what a `next` request won, by the request's name. */
  readonly claimRequests = new SetMap();
  /** All tasks, oldest first. */
  readonly byCreation = new SortedList<Task, CreationKey>(compareCreation);
  /** Terminal tasks, the one that has been so for longest first. */
  readonly terminal = new SortedList<Task>((a, b) => a.updatedAt - b.updatedAt || compareIds(a, b));
  /** Blocked tasks that wait for one that failed or was cancelled. */
  readonly deadEnds: DeadEnds;
  readonly #now: () => number;
  readonly #known = new Map<string, KnownTask>();
  readonly #corrupt = new Map<string, number>();
  readonly #counts = new Map<TaskStatus, number>();
  readonly #listeners: ((change: TaskChange) => void)[] = [];
  readonly #corruptListeners: ((taskId: string, problem: string) => void)[] = [];
  readonly #currentListeners: (() => void)[] = [];
  /** While the watch delivers the state from which it begins: the ids that still exist. */
  #resync: Set<string> | null = null;

  constructor(now: () => number) {
    this.#now = now;
    this.deadEnds = new DeadEnds(this);
  }

  /** Whether the watch has delivered what was there when it began. */
  get isCurrent(): boolean {
    return this.position.isCurrent;
  }

  get size(): number {
    return this.#known.size;
  }

  get corruptCount(): number {
    return this.#corrupt.size;
  }

  get(taskId: string): KnownTask | undefined {
    return this.#known.get(taskId);
  }

  values(): Iterable<KnownTask> {
    return this.#known.values();
  }

  isComplete(taskId: string): boolean {
    return this.#known.get(taskId)?.task.status === "complete";
  }

  counts(): Record<TaskStatus, number> {
    const entries = TASK_STATUSES.map((status) => [status, this.#counts.get(status) ?? 0] as const);
    return Object.fromEntries(entries) as Record<TaskStatus, number>;
  }

  /** Calls the listener after each change, in order. It must not throw. */
  onChange(listener: (change: TaskChange) => void): void {
    this.#listeners.push(listener);
  }

  /** Calls the listener for each entry that cannot be read as a task, with what is wrong with it. */
  onCorrupt(listener: (taskId: string, problem: string) => void): void {
    this.#corruptListeners.push(listener);
  }

  /** Calls the listener each time the index has become current. */
  onCurrent(listener: () => void): void {
    this.#currentListeners.push(listener);
  }

  /**
   * Takes in a record that this worker has just written or read from the leader.
   *
   * What the watch has already delivered is not taken again: it may be gone since.
   */
  apply(task: Task, revision: number): void {
    const { taskId } = task;
    if (revision <= this.position.revision) return;
    if (revision <= (this.#known.get(taskId)?.revision ?? 0)) return;
    this.#resync?.add(taskId);
    this.#replace(taskId, { task: withCreation(task, revision), revision });
  }

  restarted(): void {
    this.#resync = new Set();
    this.position.restarted();
  }

  isKnown(taskId: string, revision: number): boolean {
    if (this.#resync !== null || this.#known.get(taskId)?.revision !== revision) return false;
    this.#corrupt.delete(taskId);
    this.position.delivered(revision);
    return true;
  }

  entry(entry: TaskEntry): void {
    const { taskId, revision } = entry;
    const known = this.#known.get(taskId);
    // After a restart the store is right even if it is older: it may have been restored.
    const isNews = known === undefined || revision > known.revision || this.#resync !== null;
    if (!("removed" in entry)) this.#resync?.add(taskId);
    if ("corrupt" in entry) this.#noteCorrupt(taskId, revision, entry.corrupt);
    else this.#corrupt.delete(taskId);
    if (isNews) this.#replace(taskId, "task" in entry ? { task: entry.task, revision } : null);
    this.position.delivered(revision);
  }

  current(): void {
    const seen = this.#resync;
    this.#resync = null;
    for (const taskId of [...this.#known.keys(), ...this.#corrupt.keys()]) {
      if (seen?.has(taskId) !== false) continue;
      this.#replace(taskId, null);
      this.#corrupt.delete(taskId);
    }
    this.position.current();
    for (const listener of this.#currentListeners) listener();
  }

  /** Each unreadable entry is told of once, however often the watch begins again. */
  #noteCorrupt(taskId: string, revision: number, problem: string): void {
    if (this.#corrupt.get(taskId) === revision) return;
    this.#corrupt.set(taskId, revision);
    for (const listener of this.#corruptListeners) listener(taskId, problem);
  }

  #replace(taskId: string, known: KnownTask | null): void {
    const before = this.#known.get(taskId)?.task ?? null;
    const after = known?.task ?? null;
    if (before === null && after === null) return;
    if (before !== null) this.#forget(before);
    if (known === null) this.#known.delete(taskId);
    else this.#known.set(taskId, known);
    if (after !== null) this.#remember(after);
    // Mostly it stays where it is: to put it there again takes half the time.
    const stays = before !== null && after !== null && compareCreation(before, after) === 0;
    if (before !== null && !stays) this.byCreation.delete(before);
    if (after !== null) this.byCreation.set(after);
    for (const listener of this.#listeners) listener({ taskId, before, after });
  }

  #remember(task: Task): void {
    const { taskId, status, claimRequest } = task;
    this.#counts.set(status, (this.#counts.get(status) ?? 0) + 1);
    for (const dependency of task.dependsOn) this.dependents.add(dependency, taskId);
    if (status === "available") this.ready.add(task, this.#now());
    if (task.claimedBy !== null) this.claims.add(task.claimedBy, taskId);
    if (claimRequest !== null) this.claimRequests.add(claimRequest, taskId);
    if (isFinished(status)) this.terminal.set(task);
  }

  #forget(task: Task): void {
    const { taskId, status, claimRequest } = task;
    this.#counts.set(status, (this.#counts.get(status) ?? 0) - 1);
    for (const dependency of task.dependsOn) this.dependents.delete(dependency, taskId);
    if (status === "available") this.ready.delete(task);
    if (task.claimedBy !== null) this.claims.delete(task.claimedBy, taskId);
    if (claimRequest !== null) this.claimRequests.delete(claimRequest, taskId);
    if (isFinished(status)) this.terminal.delete(task);
  }
}

/** The first record of a task cannot contain its own revision; its readers add it. */
function withCreation(task: Task, revision: number): Task {
  return task.createdRevision === null ? { ...task, createdRevision: revision } : task;
}

function compareCreation(a: CreationKey, b: CreationKey): number {
  return (a.createdRevision ?? 0) - (b.createdRevision ?? 0) || compareIds(a, b);
}

function compareIds(a: Pick<Task, "taskId">, b: Pick<Task, "taskId">): number {
  return a.taskId < b.taskId ? -1 : a.taskId > b.taskId ? 1 : 0;
}
