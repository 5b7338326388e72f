/**
 * The records of tasks as the leader of the bucket has them.
 *
 * In a cluster, NATS lets the node answer that believes to lead. A node that has just lost the lead may still
 * believe so, and has no later records. Its answer is refused if this worker has known a later record of the task
 * since before it asked (decision 53).
 */
import { CoordinatorError } from "../protocol/errors.ts";
import type { LoadedTask, TaskEntry, TaskStore } from "./ports.ts";
import { corruptRecord, notFound } from "./refusals.ts";
import type { TaskIndex } from "./task-index.ts";

export class LeaderRecords {
  readonly #store: Pick<TaskStore, "load">;
  readonly #index: Pick<TaskIndex, "get" | "apply">;

  constructor(store: Pick<TaskStore, "load">, index: Pick<TaskIndex, "get" | "apply">) {
    this.#store = store;
    this.#index = index;
  }

  /** The last entry of the task; `null` if there is none. @throws CoordinatorError `unavailable` */
  async last(taskId: string): Promise<TaskEntry | null> {
    const known = this.#index.get(taskId)?.revision ?? 0;
    const entry = await this.#store.load(taskId);
    if (entry === null || entry.revision >= known) return entry;
    const message = `the node that answered has an old record of task ${taskId}: ask again`;
    throw new CoordinatorError("unavailable", message);
  }

  /** @throws CoordinatorError `not_found`, `corrupt_record`, `unavailable` */
  async load(taskId: string): Promise<LoadedTask> {
    return this.readable(taskId, await this.last(taskId));
  }

  /** The entry as a task, which the index takes in. @throws CoordinatorError `not_found`, `corrupt_record` */
  readable(taskId: string, entry: TaskEntry | null): LoadedTask {
    if (entry === null || "removed" in entry) throw notFound("task", taskId);
    if ("corrupt" in entry) throw corruptRecord(taskId, entry.corrupt);
    this.#index.apply(entry.task, entry.revision, entry.bytes);
    return entry;
  }
}
