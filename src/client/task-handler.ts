/** The handler of a worker: what it gets, and the errors that fail a task for good or give it back. */
import type { TaskRecord } from "../protocol/task-record.ts";
import type { ReleaseOptions } from "./release-options.ts";

/** What a handler gets in addition to the task. */
export interface TaskContext {
  /** The number of the claim, for people and logs. */
  readonly attempt: number;
  /** For the system that receives results: it must refuse a token lower than one that it has seen. */
  readonly fencingToken: number;
  /** The session that holds the task. */
  readonly session: string;
  /**
   * Aborted when the work should stop: the lease is lost, the task is cancelled, or the worker was stopped
   * and its deadline has passed. A result that is returned after that counts only if the task is still
   * held.
   */
  readonly signal: AbortSignal;
  /**
   * Reports how far the work is; `tasks.get` shows it. Sent at most once a second.
   *
   * @example
   * coordinator.work({}, (task, { progress }) => {
   *   progress({ percent: 50 });
   *   return task.title;
   * });
   */
  progress(value: unknown): void;
}

/**
 * Does the work. The value that it returns becomes the task's result. An error that it throws is a failed
 * attempt, unless it is a `ReleaseError`.
 *
 * @example
 * const handler: TaskHandler = async (task, { signal }) => {
 *   const response = await fetch(`https://example.org/${task.task_id}`, { signal });
 *   return response.text();
 * };
 */
export type TaskHandler = (task: TaskRecord, context: TaskContext) => unknown;

/**
 * Thrown by a handler: the task fails for good, regardless of its `max_failures`.
 *
 * @example
 * coordinator.work({}, (task) => {
 *   if (task.payload === null) throw new PermanentError("there is no payload");
 * });
 */
export class PermanentError extends Error {
  /** For those who cannot use `instanceof`. */
  override readonly name = "PermanentError";
}

const MAX_CAUSE_LENGTH = 1_024;

/**
 * Thrown by a handler: the task goes back to the pool without a failure. The message becomes the reason of
 * the event `task_released`.
 *
 * @example
 * coordinator.work({ session: "session-1" }, async (task) => {
 *   const response = await fetch("https://example.org/generate", { method: "POST", body: task.title });
 *   if (response.status === 429) {
 *     throw new ReleaseError("the provider's quota is exhausted", { delaySeconds: 3600 });
 *   }
 *   return response.json();
 * });
 */
export class ReleaseError extends Error {
  /** For those who cannot use `instanceof`. */
  override readonly name = "ReleaseError";
  /** When the task can be claimed again, and why it was given back. */
  readonly options: ReleaseOptions;

  /** The message is the cause. Without a message, the event has no reason. */
  constructor(message = "", options: Omit<ReleaseOptions, "cause"> = {}) {
    super(message);
    const cause = message.slice(0, MAX_CAUSE_LENGTH);
    this.options = cause === "" ? options : { ...options, cause };
  }
}
