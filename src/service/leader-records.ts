/**
 * The records of tasks as the leader of the bucket has them.
 *
 * In a cluster, a node that has just lost the lead may still answer, and has no later records. Its answer is refused
 * if this worker has known a later record of the task since before it asked (decision 53).
 */
import { CoordinatorError } from "../protocol/errors.ts";
import type { LoadedTask, TaskEntry, TaskStore } from "./ports.ts";
import { corruptRecord, notFound } from "./refusals.ts";
import type { TaskIndex } from "./task-index.ts";

export class LeaderRecords {
  readonly #store: Pick<TaskStore, "load" | "state">;
  readonly #index: Pick<TaskIndex, "get" | "apply">;

  constructor(store: Pick<TaskStore, "load" | "state">, index: Pick<TaskIndex, "get" | "apply">) {
    this.#store = store;
    this.#index = index;
  }

  /** The last entry of the task, which the index takes in; `null`: none. @throws CoordinatorError `unavailable` */
  async last(taskId: string): Promise<TaskEntry | null> {
    const known = this.#index.get(taskId)?.revision ?? 0;
    const entry = await this.#store.load(taskId);
    if ((await this.#reached(entry, known)) < known) {
      const message = `the node that answered has an old record of task ${taskId}: ask again`;
      throw new CoordinatorError("unavailable", message);
    }
    if (entry !== null && "task" in entry) {
      this.#index.apply(entry.task, entry.revision, entry.bytes);
    }
    return entry;
  }

  /** @throws CoordinatorError `not_found`, `corrupt_record`, `unavailable` */
  async load(taskId: string): Promise<LoadedTask> {
    return readable(taskId, await this.last(taskId));
  }

  /** A revision that the bucket has reached, as the answers say. */
  async #reached(entry: TaskEntry | null, known: number): Promise<number> {
    if (entry !== null) return entry.revision;
    // An operator can purge the task without a marker, but the stream never loses its last revision.
    return known === 0 ? 0 : (await this.#store.state()).lastRevision;
  }
}

/** @throws CoordinatorError `not_found`, `corrupt_record` */
export function readable(taskId: string, entry: TaskEntry | null): LoadedTask {
  if (entry === null || "removed" in entry) throw notFound("task", taskId);
  if ("corrupt" in entry) throw corruptRecord(taskId, entry.corrupt);
  return entry;
}
