/** The tasks of a race. Only the race can claim them: they require a capability that nobody else has. */
import type { Calls } from "../../client/calls.ts";
import type { TaskRemoval } from "../../nats/task-removal.ts";
import { isTaskError } from "../shared/error-report.ts";
import { ExitError } from "../shared/errors.ts";
import { EXIT } from "../shared/exit-codes.ts";

/** Requests of an import stay far below the size that NATS carries. */
const TASKS_PER_REQUEST = 500;
/** A removal takes two round trips, in which others can run. */
const REMOVALS_AT_A_TIME = 16;
const REASON = "The race is over.";

export class RaceTasks {
  readonly #calls: Calls;
  readonly #removal: TaskRemoval;
  readonly #name: string;
  /** What exists, as far as is known. */
  readonly #ids = new Set<string>();

  /** @param name begins every id, and is the capability that the tasks require */
  constructor(calls: Calls, removal: TaskRemoval, name: string) {
    this.#calls = calls;
    this.#removal = removal;
    this.#name = name;
  }

  /** @throws ExitError if the user may not remove tasks */
  async requireRemoval(): Promise<void> {
    // No task has this id, and its marker deletes itself.
    const outcome = await this.#removal.remove(`${this.#name}-0`, 0).catch(() => null);
    if (outcome !== null && outcome.kind !== "unknown") return;
    throw new ExitError(
      EXIT.refused,
      "this user cannot remove tasks, so a race would leave its tasks behind, and none was created: " +
        "connect as a user who may publish to $KV.tasks.>",
    );
  }

  /** Resolves to the ids. */
  async create(count: number, signal: AbortSignal): Promise<readonly string[]> {
    for (let first = 1; first <= count; first += TASKS_PER_REQUEST) {
      const last = Math.min(first + TASKS_PER_REQUEST - 1, count);
      const tasks = Array.from({ length: last - first + 1 }, (_, i) => ({
        task_id: `${this.#name}-${first + i}`,
        title: `Task ${first + i} of ${this.#name}`,
        description: "`if-coordinator race` has made this task, and removes it at its end.",
        requires: [this.#name],
      }));
      for (const { task_id: id } of tasks) this.#ids.add(id);
      try {
        await this.#calls.call("tasks.import", undefined, () => ({ tasks }), { signal });
      } catch (error) {
        // Unless the outcome is unknown, none of these was created.
        if (isTaskError(error) && error.code !== "unavailable") {
          for (const { task_id: id } of tasks) this.#ids.delete(id);
        }
        throw error;
      }
    }
    return [...this.#ids];
  }

  /** Finds what an earlier race with this name has left. */
  async find(signal: AbortSignal): Promise<void> {
    let cursor: string | null = null;
    do {
      const after: { cursor?: string } = cursor === null ? {} : { cursor };
      const body = { prefix: `${this.#name}-`, limit: 1_000, ...after };
      const page = await this.#calls.call("tasks.list", undefined, () => body, { signal });
      for (const { task_id: id } of page.tasks) this.#ids.add(id);
      cursor = page.next_cursor;
    } while (cursor !== null);
  }

  /**
   * Cancels all tasks, and removes those that are not kept. Resolves to the ids of what is left. After a
   * failure it leaves the rest alone.
   */
  async remove(kept: ReadonlySet<string> = new Set()): Promise<readonly string[]> {
    const left = new Set(this.#ids);
    const waiting = [...this.#ids];
    const removeSome = async (): Promise<void> => {
      for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
        try {
          if (await this.#remove(id, kept.has(id))) left.delete(id);
        } catch {
          waiting.length = 0;
        }
      }
    };
    await Promise.all(Array.from({ length: REMOVALS_AT_A_TIME }, removeSome));
    return [...left];
  }

  /** Resolves to whether the task is gone. */
  async #remove(id: string, isKept: boolean): Promise<boolean> {
    const revision = await this.#finish(id);
    if (revision === null) return true;
    if (isKept) return false;
    return (await this.#removal.remove(id, revision)).kind === "written";
  }

  /** The revision of the finished task; `null` if there is no such task. */
  async #finish(id: string): Promise<number | null> {
    try {
      const body = { force: true, reason: REASON };
      return (await this.#calls.call("tasks.cancel", id, () => body)).revision;
    } catch (error) {
      if (isTaskError(error) && error.code === "not_found") return null;
      throw error;
    }
  }
}
