/**
 * Follows the tasks by two sources: a scan that reads all of them once, page by page in the order of creation,
 * and the updates that arrive meanwhile and later.
 *
 * A scan has a boundary: it has read every task that was created before. An update of such a task changes what
 * the scan has found, unless the page of the task contains it already. An update of a later task waits for its
 * page: a page is at least as new as its request, so only an update that arrives between request and page can
 * be newer than the page.
 */
import type { TaskRecord } from "../../protocol/task-record.ts";
import { type BoardTask, createdOf, type TaskChange, TaskSet } from "./task-set.ts";
import type { TopList } from "./top-list.ts";

/** Tasks in the order of creation, at least as new as the revision. */
export interface Page {
  readonly tasks: readonly TaskRecord[];
  readonly revision: number;
}

export class TrackedTasks {
  /** What is shown. During the first scan, it is what the scan has found so far. */
  #shown = new TaskSet();
  #scan: TaskSet | null = null;
  #isFirst = true;
  /** Tasks beyond the boundary that have changed since the page was requested. `null`: removed. */
  readonly #changed = new Map<string, TaskChange | null>();
  /** Whether the counts may be wrong. */
  #isDoubtful = false;

  get shown(): TaskSet {
    return this.#shown;
  }

  /** What the ready queue is taken from: if all that was known is claimed, what the new scan has found so far. */
  get ready(): TopList<BoardTask> {
    const { ready } = this.#shown;
    return ready.size === 0 && this.#scan !== null ? this.#scan.ready : ready;
  }

  /** Whether all tasks have been read. */
  get isComplete(): boolean {
    return !this.#isFirst;
  }

  /** Whether another scan would show something else. */
  get needsScan(): boolean {
    return this.#isFirst || this.#isDoubtful || this.#shown.isRunningOut;
  }

  /** Updates were missed, or the counts are no longer right. */
  doubt(): void {
    this.#isDoubtful = true;
  }

  change(change: TaskChange): void {
    const { task, oldStatus } = change;
    const [shown, scan] = [this.#shown, this.#scan];
    if (scan !== shown && !shown.includes(change)) shown.set(task, oldStatus);
    if (scan === null) return;
    if (createdOf(change) > scan.boundary) this.#changed.set(task.task_id, change);
    else if (!scan.includes(change)) scan.set(task, oldStatus);
  }

  /** The counts stay as they are, because the status that it had is unknown. */
  remove(taskId: string): void {
    this.#shown.delete(taskId);
    if (this.#scan === null) return;
    this.#scan.delete(taskId);
    this.#changed.set(taskId, null);
  }

  beginScan(): void {
    this.#scan = new TaskSet();
    if (this.#isFirst) this.#shown = this.#scan;
    this.#changed.clear();
    this.#isDoubtful = false;
  }

  /** The scan has failed. Another one will begin. */
  abandonScan(): void {
    this.#scan = null;
    this.#changed.clear();
    this.doubt();
  }

  /** Before each request for a page. */
  requestPage(): void {
    this.#changed.clear();
  }

  addPage({ tasks, revision }: Page, isLast: boolean): void {
    const scan = this.#scan;
    if (scan === null) return;
    for (const task of tasks) {
      const change = this.#changed.get(task.task_id);
      this.#changed.delete(task.task_id);
      if (change === null) continue;
      scan.set(change !== undefined && change.revision > revision ? change.task : task, null);
    }
    const last = tasks.at(-1);
    if (last !== undefined) scan.addPage(last.created_revision ?? 0, revision);
    if (isLast) this.#endScan(scan);
  }

  #endScan(scan: TaskSet): void {
    // Created after the last page was made.
    for (const change of this.#changed.values()) {
      if (change !== null) scan.set(change.task, null);
    }
    this.#changed.clear();
    this.#shown = scan;
    this.#scan = null;
    this.#isFirst = false;
  }
}
