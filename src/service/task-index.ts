/**
 * The tasks as this worker knows them. The index proposes, and the compare-and-set decides. The index may lag
 * behind, so it alone never refuses a request.
 */
import { CompactTask } from "../protocol/compact-task.ts";
import { SortedList } from "../task/sorted-list.ts";
import { ReadyQueue, type ReadyTask } from "../task/ready-queue.ts";
import { isFinished, type Task, TASK_STATUSES, type TaskStatus } from "../task/task.ts";
import { WatchedMap } from "../watched/watched-map.ts";
import { DeadEnds } from "./dead-ends.ts";
import { OwnedTasks } from "./owned-tasks.ts";
import type { Watch, WatchedTask } from "./ports.ts";

/** A task and the revision of its record. */
export interface KnownTask {
  readonly task: Task;
  readonly revision: number;
}

/** The fields that determine the order of creation. */
export type CreationKey = Pick<Task, "createdRevision" | "taskId">;
type FinishKey = Pick<CompactTask, "finishedAt" | "taskId">;

/** `before` is `null` for a new task, `after` for a removed one. */
export interface TaskChange {
  readonly taskId: string;
  readonly before: CompactTask | null;
  readonly after: CompactTask | null;
}

/** With the session, because anyone can give a request the name of another session's request. */
function claimKeyOf(sessionId: string, claimRequest: string): string {
  return `${sessionId} ${claimRequest}`;
}

export class TaskIndex implements Watch<WatchedTask> {
  readonly #tasks = new WatchedMap<CompactTask, "dependents" | "claims" | "claimRequests">({
    dependents: ({ dependsOn }) => dependsOn,
    claims: ({ claimedBy }) => claimedBy,
    claimRequests: ({ claimedBy, claimRequest }) =>
      claimedBy === null || claimRequest === null ? null : claimKeyOf(claimedBy, claimRequest),
  });
  readonly #claimRequests = this.#tasks.index("claimRequests");
  readonly #corrupt = new WatchedMap<{ readonly revision: number; readonly problem: string }>({});
  readonly position = this.#tasks.position;
  /** The tasks that name this one in `dependsOn`. */
  readonly dependents = this.#tasks.index("dependents");
  /** The tasks that a session holds. */
  readonly claims = this.#tasks.index("claims");
  /** Exactly the available tasks that are neither reserved nor set aside. */
  readonly ready = new ReadyQueue();
  /** All tasks, oldest first. */
  readonly byCreation = new SortedList<CompactTask, CreationKey>(compareCreation);
  /** Finished tasks, in the order in which they finished. */
  readonly finished = new SortedList<CompactTask, FinishKey>(compareFinish);
  /** How many tasks there are and how large they are, also for each creator. */
  readonly owned = new OwnedTasks();
  /** Blocked tasks that wait for one that failed or was cancelled. */
  readonly deadEnds: DeadEnds;
  readonly #now: () => number;
  readonly #reserved = new Set<string>();
  readonly #setAside = new Set<string>();
  readonly #counts = new Map<TaskStatus, number>();
  readonly #listeners: ((change: TaskChange) => void)[] = [];

  constructor(now: () => number) {
    this.#now = now;
    this.deadEnds = new DeadEnds(this);
    this.#tasks.onChange((taskId, before, after) => {
      this.#changed({ taskId, before, after });
    });
  }

  /** Whether the watch has delivered the state with which it began. */
  get isCurrent(): boolean {
    return this.position.isCurrent;
  }

  get size(): number {
    return this.#tasks.size;
  }

  get corruptCount(): number {
    return this.#corrupt.size;
  }

  get(taskId: string): CompactTask | undefined {
    return this.#tasks.get(taskId);
  }

  /** The task, unless its content is left out here: then it has to be read from the store. */
  whole(taskId: string): CompactTask | undefined {
    const known = this.#tasks.get(taskId);
    return known?.isWhole === true ? known : undefined;
  }

  values(): Iterable<CompactTask> {
    return this.#tasks.values();
  }

  isComplete(taskId: string): boolean {
    return this.#tasks.get(taskId)?.status === "complete";
  }

  counts(): Record<TaskStatus, number> {
    const entries = TASK_STATUSES.map((status) => [status, this.#counts.get(status) ?? 0] as const);
    return Object.fromEntries(entries) as Record<TaskStatus, number>;
  }

  /** Calls the listener after each change, in order. It must not throw. */
  onChange(listener: (change: TaskChange) => void): void {
    this.#listeners.push(listener);
  }

  /** Calls the listener once for each entry that cannot be read as a task. It must not throw. */
  onCorrupt(listener: (taskId: string, problem: string) => void): void {
    this.#corrupt.onChange((taskId, before, after) => {
      // When the watch begins again, it delivers the same entry again.
      if (after !== null && after.revision !== before?.revision) listener(taskId, after.problem);
    });
  }

  /** Calls the listener each time the index becomes current. It must not throw. */
  onCurrent(listener: () => void): void {
    this.position.onCurrentChange(() => {
      if (this.isCurrent) listener();
    });
  }

  /** The tasks that a `next` request of the session has claimed, by its name, and that the session still holds. */
  claimedFor(sessionId: string, claimRequest: string): ReadonlySet<string> {
    return this.#claimRequests.get(claimKeyOf(sessionId, claimRequest));
  }

  /** Keeps the task out of `ready` until `free`, even if it changes: a claim of it is under way. */
  reserve(taskId: string): void {
    this.#reserved.add(taskId);
    this.#withdraw(taskId);
  }

  /** Ends a reservation. */
  free(taskId: string): void {
    this.#reserved.delete(taskId);
    const known = this.get(taskId);
    if (known !== undefined) this.#offer(known);
  }

  /** Keeps the task out of `ready` until it changes: a claim of the task as it is now has failed. */
  setAside(taskId: string): void {
    this.#setAside.add(taskId);
    this.#withdraw(taskId);
  }

  /** The task, if it is due and in `ready`. */
  readyTask(taskId: string): ReadyTask | null {
    const known = this.get(taskId);
    const isDue = known !== undefined && (known.notBefore ?? 0) <= this.#now();
    return isDue && this.#isOffered(known) ? known : null;
  }

  /** Takes in a record that this worker has just written, or read from the leader. */
  apply(task: Task, revision: number, bytes: number): void {
    // Mostly the watch has delivered it already.
    if (revision <= (this.get(task.taskId)?.revision ?? 0)) return;
    this.#tasks.apply(task.taskId, CompactTask.of(task, revision, bytes));
  }

  restarted(): void {
    this.#corrupt.restarted();
    this.#tasks.restarted();
  }

  isKnown(taskId: string, revision: number): boolean {
    if (!this.#tasks.isKnown(taskId, revision)) return false;
    this.#corrupt.deliver(taskId, revision, null);
    return true;
  }

  entry(entry: WatchedTask): void {
    const { taskId, revision } = entry;
    const isCorrupt = "corrupt" in entry;
    this.#corrupt.deliver(
      taskId,
      revision,
      isCorrupt ? { revision, problem: entry.corrupt } : null,
    );
    this.#tasks.deliver(taskId, revision, entry instanceof CompactTask ? entry : null);
  }

  current(): void {
    this.#corrupt.current();
    this.#tasks.current();
  }

  #changed(change: TaskChange): void {
    const { taskId, before, after } = change;
    before?.replaced();
    this.#setAside.delete(taskId);
    this.owned.changed(before, after);
    if (before !== null) {
      this.#count(before.status, -1);
      if (before.status === "available") this.ready.delete(before);
      if (isFinished(before.status)) this.finished.delete(before);
    }
    if (after !== null) {
      this.#count(after.status, 1);
      this.#offer(after);
      if (isFinished(after.status)) this.finished.set(after);
    }
    // Most tasks keep their place. Replacing the task there takes half the time of moving it.
    const stays = before !== null && after !== null && compareCreation(before, after) === 0;
    if (before !== null && !stays) this.byCreation.delete(before);
    if (after !== null) this.byCreation.set(after);
    this.deadEnds.update(taskId, before, after);
    for (const listener of this.#listeners) listener(change);
  }

  #count(status: TaskStatus, difference: 1 | -1): void {
    this.#counts.set(status, (this.#counts.get(status) ?? 0) + difference);
  }

  #isOffered({ taskId, status }: CompactTask): boolean {
    return status === "available" && !this.#reserved.has(taskId) && !this.#setAside.has(taskId);
  }

  #offer(known: CompactTask): void {
    if (this.#isOffered(known)) this.ready.add(known, this.#now());
  }

  #withdraw(taskId: string): void {
    const known = this.get(taskId);
    if (known !== undefined) this.ready.delete(known);
  }
}

export function compareCreation(a: CreationKey, b: CreationKey): number {
  return (a.createdRevision ?? 0) - (b.createdRevision ?? 0) || compareIds(a, b);
}

function compareFinish(a: FinishKey, b: FinishKey): number {
  return (a.finishedAt ?? 0) - (b.finishedAt ?? 0) || compareIds(a, b);
}

function compareIds(a: Pick<Task, "taskId">, b: Pick<Task, "taskId">): number {
  return a.taskId < b.taskId ? -1 : a.taskId > b.taskId ? 1 : 0;
}
