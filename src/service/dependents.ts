/**
 * Keeps `blocked` and `available` in line with the dependencies: what follows from a write on other
 * tasks.
 *
 * Every worker does it on every change that it sees, and for all tasks when its index has become
 * current; it is idempotent, so no worker's death loses an unblocking. The worker that made the change
 * acts at once; the others wait a moment and mostly find it done.
 */
import { hasCode } from "../protocol/errors.ts";
import type { Task } from "../task/task.ts";
import type { Limiter } from "./limiter.ts";
import type { Clock, Observe } from "./ports.ts";
import type { TaskChange, TaskIndex } from "./task-index.ts";
import type { TaskWriter } from "./task-writer.ts";

const WAIT_MS = 10;
const WAIT_SPREAD_MS = 30;
const AGAIN_MS = 1_000;

export class Dependents {
  readonly #tasks: TaskIndex;
  readonly #writer: TaskWriter;
  readonly #clock: Clock;
  readonly #observe: Observe;
  readonly #limiter: Limiter;
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  readonly #underway = new Map<string, Promise<void>>();
  #stopped = false;

  constructor(
    tasks: TaskIndex,
    writer: TaskWriter,
    limiter: Limiter,
    clock: Clock,
    observe: Observe,
  ) {
    this.#limiter = limiter;
    this.#tasks = tasks;
    this.#writer = writer;
    this.#clock = clock;
    this.#observe = observe;
    writer.onWritten((task) => {
      this.#written(task);
    });
    tasks.onChange((change) => {
      this.#changed(change);
    });
    tasks.onCurrent(() => {
      for (const { task } of tasks.values()) {
        if (this.#isWrong(task.taskId)) this.#later(task.taskId);
      }
    });
  }

  /** Resolves when the writes under way have ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    await Promise.all(this.#underway.values());
  }

  /** This worker has written the task: nobody knows of it sooner. */
  #written(task: Task): void {
    if (this.#isWrong(task.taskId)) this.#settle(task.taskId);
    if (task.status !== "complete") return;
    for (const id of this.#tasks.dependents.get(task.taskId)) {
      if (this.#isWrong(id)) this.#settle(id);
    }
  }

  #changed({ taskId, before, after }: TaskChange): void {
    if (!this.#tasks.isCurrent) return;
    if (this.#isWrong(taskId)) this.#later(taskId);
    if ((before?.status === "complete") === (after?.status === "complete")) return;
    for (const id of this.#tasks.dependents.get(taskId)) if (this.#isWrong(id)) this.#later(id);
  }

  /** Whether the status contradicts the dependencies, as far as this worker knows. */
  #isWrong(taskId: string): boolean {
    const task = this.#tasks.get(taskId)?.task;
    if (task === undefined) return false;
    if (task.status === "blocked") return this.#writer.unmet(task).length === 0;
    return task.status === "available" && this.#writer.unmet(task).length > 0;
  }

  #later(taskId: string, delay = WAIT_MS + this.#clock.random() * WAIT_SPREAD_MS): void {
    if (this.#stopped || this.#timers.has(taskId)) return;
    const timer = setTimeout(() => {
      this.#timers.delete(taskId);
      if (this.#isWrong(taskId)) this.#settle(taskId);
    }, delay);
    this.#timers.set(taskId, timer);
  }

  #settle(taskId: string): void {
    if (this.#stopped || this.#underway.has(taskId)) return;
    const settling = this.#limiter
      .run(() => this.#settleNow(taskId))
      .catch((cause: unknown) => {
        if (hasCode(cause, "not_found")) return;
        this.#observe({ kind: "background_error", what: `dependencies of ${taskId}`, cause });
        this.#later(taskId, AGAIN_MS);
      })
      .finally(() => {
        this.#underway.delete(taskId);
        // A dependency may have changed meanwhile.
        if (this.#isWrong(taskId)) this.#later(taskId);
      });
    this.#underway.set(taskId, settling);
  }

  async #settleNow(taskId: string): Promise<void> {
    // It may have been settled by another worker while this one was waiting for its turn.
    if (this.#stopped || !this.#isWrong(taskId)) return;
    const task = this.#tasks.get(taskId)?.task;
    // Blocking takes a task away from those who wait for it: only on the leader's word.
    if (task?.status === "available") await this.#refresh(this.#writer.unmet(task));
    await this.#writer.execute(taskId, (current) => ({
      type: "settle_dependencies",
      unmet: this.#writer.unmet(current),
    }));
  }

  async #refresh(taskIds: readonly string[]): Promise<void> {
    await Promise.all(
      taskIds.map(async (id) => {
        try {
          await this.#writer.load(id);
        } catch (error) {
          if (!hasCode(error, "not_found")) throw error;
        }
      }),
    );
  }
}
