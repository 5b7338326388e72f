/**
 * What the board keeps of the tasks: the counts by status, and the best of those that it may show. Its memory
 * does not grow with the number of tasks.
 */
import type { TaskRecord } from "../../protocol/task-record.ts";
import { kept } from "./kept-text.ts";
import { TopList } from "./top-list.ts";

/** A task as the board shows it. All texts are safe for a terminal. */
export interface BoardTask {
  /** As it is in the record: the key of the lists. */
  readonly id: string;
  readonly shownId: string;
  readonly title: string;
  readonly priority: number;
  /** The place in the order of creation. */
  readonly created: number;
  readonly requires: readonly string[];
  /** Nobody can claim it before; `null` if it is due. */
  readonly dueAt: number | null;
  readonly holder: string;
  readonly shownHolder: string;
  readonly claimedAt: number;
  readonly attempt: number;
  readonly isAskedToStop: boolean;
}

/** A transition of a task: the task after it. */
export interface TaskChange {
  readonly task: TaskRecord;
  readonly revision: number;
  readonly oldStatus: string | null;
}

/** Its place in the order of creation. Its first record does not contain it. */
export function createdOf({ task, revision }: TaskChange): number {
  return task.created_revision ?? revision;
}

/** More than any terminal shows. When so many have left the list, a new scan finds the next ones. */
const MAX_ENTRIES = 5_000;
/** Of a partial list. With fewer entries, it is time for a new scan. */
const ENOUGH_ENTRIES = 1_000;

const MAX_REQUIRES = 16;

export class TaskSet {
  readonly counts = new Map<string, number>();
  readonly ready = newList(byUrgency);
  readonly delayed = newList((a, b) => (a.dueAt ?? 0) - (b.dueAt ?? 0) || byUrgency(a, b));
  readonly held = newList((a, b) => a.claimedAt - b.claimedAt || a.created - b.created);

  /** Of the pages that were read: the place in the order of creation of the last task, and the revision. */
  readonly #pages: { readonly upTo: number; readonly revision: number }[] = [];

  addPage(upTo: number, revision: number): void {
    this.#pages.push({ upTo, revision });
  }

  /** All tasks that were created up to this place have been read. */
  get boundary(): number {
    return this.#pages.at(-1)?.upTo ?? 0;
  }

  /** Whether the page of the task was made after the change, which arrives late. */
  includes(change: TaskChange): boolean {
    const created = createdOf(change);
    const page = this.#pages.find(({ upTo }) => created <= upTo);
    return page !== undefined && change.revision <= page.revision;
  }

  /** @param oldStatus `null`: the task was not counted before */
  set(task: TaskRecord, oldStatus: string | null): void {
    if (oldStatus !== null) this.#count(oldStatus, -1);
    this.#count(task.status, 1);
    this.delete(task.task_id);
    if (task.status !== "available" && task.status !== "claimed") return;
    const shown = toBoardTask(task);
    if (task.status === "claimed") this.held.set(shown);
    else if (shown.dueAt === null) this.ready.set(shown);
    else this.delayed.set(shown);
  }

  /** Takes it out of the lists, not out of the counts. */
  delete(taskId: string): void {
    this.ready.delete(taskId);
    this.delayed.delete(taskId);
    this.held.delete(taskId);
  }

  /** Moves the delayed tasks that have become due. */
  wake(now: number): void {
    for (;;) {
      const [first] = this.delayed.entries;
      if (first?.dueAt == null || first.dueAt > now) return;
      this.delayed.delete(first.id);
      this.ready.set({ ...first, dueAt: null });
    }
  }

  /** Whether there are tasks to show that the lists do not know. */
  get isRunningOut(): boolean {
    return [this.ready, this.delayed, this.held].some(
      ({ isPartial, size }) => isPartial && size < ENOUGH_ENTRIES,
    );
  }

  #count(status: string, change: number): void {
    this.counts.set(status, (this.counts.get(status) ?? 0) + change);
  }
}

function newList(compare: (a: BoardTask, b: BoardTask) => number): TopList<BoardTask> {
  return new TopList(MAX_ENTRIES, compare);
}

/** The order in which `tasks.next` claims them. */
function byUrgency(a: BoardTask, b: BoardTask): number {
  return a.priority - b.priority || a.created - b.created;
}

function toBoardTask(task: TaskRecord): BoardTask {
  const holder = task.claimed_by ?? "";
  return {
    id: task.task_id,
    shownId: kept(task.task_id),
    title: kept(task.title),
    priority: task.priority,
    created: task.created_revision ?? 0,
    requires: task.requires.slice(0, MAX_REQUIRES).map((name) => kept(name)),
    dueAt: task.not_before === null ? null : Date.parse(task.not_before),
    holder,
    shownHolder: kept(holder),
    claimedAt: task.claimed_at === null ? 0 : Date.parse(task.claimed_at),
    attempt: task.attempt,
    isAskedToStop: task.cancel_requested === true,
  };
}
