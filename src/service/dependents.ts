/**
 * Keeps the status of tasks, `blocked` or `available`, in line with their dependencies.
 *
 * Every worker does this on every change that it sees, and for all tasks once its index has become
 * current. The work is idempotent, so the death of a worker never leaves a task blocked.
 */
import { hasCode } from "../protocol/errors.ts";
import type { Task } from "../task/task.ts";
import type { BackgroundContext } from "./background.ts";
import { Reconciler } from "./reconciler.ts";
import type { TaskChange, TaskIndex } from "./task-index.ts";
import type { TaskAccess, TaskWriter } from "./task-writer.ts";

export class Dependents {
  readonly #tasks: TaskIndex;
  readonly #writer: TaskWriter;
  readonly #reconciler: Reconciler;

  constructor({ index: tasks, writer }: TaskAccess, context: BackgroundContext) {
    this.#tasks = tasks;
    this.#writer = writer;
    const correction = {
      what: "dependencies",
      isWrong: (taskId: string) => this.#isWrong(taskId),
      correct: (taskId: string) => this.#correct(taskId),
    };
    this.#reconciler = new Reconciler(correction, context);
    writer.onWritten((task) => {
      this.#written(task);
    });
    tasks.onChange((change) => {
      this.#changed(change);
    });
    tasks.onCurrent(() => {
      for (const { task } of tasks.values()) this.#reconciler.soon(task.taskId);
    });
  }

  /** Resolves when the writes under way have ended. */
  stop(): Promise<void> {
    return this.#reconciler.stop();
  }

  /** This worker has written the task, so it knows first. */
  #written(task: Task): void {
    this.#reconciler.now(task.taskId);
    if (task.status !== "complete") return;
    for (const id of this.#tasks.dependents.get(task.taskId)) this.#reconciler.now(id);
  }

  #changed({ taskId, before, after }: TaskChange): void {
    if (!this.#tasks.isCurrent) return;
    this.#reconciler.soon(taskId);
    if ((before?.status === "complete") === (after?.status === "complete")) return;
    for (const id of this.#tasks.dependents.get(taskId)) this.#reconciler.soon(id);
  }

  /** Whether the status contradicts the dependencies, as far as this worker knows. */
  #isWrong(taskId: string): boolean {
    const task = this.#tasks.get(taskId)?.task;
    if (task === undefined) return false;
    if (task.status === "blocked") return this.#writer.unmet(task).length === 0;
    return task.status === "available" && this.#writer.unmet(task).length > 0;
  }

  async #correct(taskId: string): Promise<void> {
    const task = this.#tasks.get(taskId)?.task;
    // A blocked task is not offered to any session, so the leader's records decide whether to block it.
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
