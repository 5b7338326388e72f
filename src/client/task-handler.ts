/** What does the work of a task: what it is given, and how it says that no retry helps. */
import type { TaskRecord } from "../protocol/task-record.ts";

/** What a handler gets beside the task. */
export interface TaskContext {
  /** The number of the claim, for people and logs. */
  readonly attempt: number;
  /** Give it to whatever receives results, which refuses a token lower than one it has seen. */
  readonly fencingToken: number;
  /** The session that holds the task. */
  readonly session: string;
  /**
   * Aborted when the work should stop: the lease is lost, the task is cancelled, or the worker was
   * stopped and its deadline is over. What is returned after that counts only if the task is still held.
   */
  readonly signal: AbortSignal;
  /**
   * Tells how far the work is; `tasks.get` shows it. Sent at most once a second.
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
 * Does the work. What it returns becomes the task's result; what it throws, a failed attempt, unless it
 * is a `ReleaseError`.
 *
 * @example
 * const handler: TaskHandler = async (task, { signal }) => {
 *   const response = await fetch(`https://example.org/${task.task_id}`, { signal });
 *   return response.text();
 * };
 */
export type TaskHandler = (task: TaskRecord, context: TaskContext) => unknown;

/**
 * Thrown by a handler: the task is failed for good, whatever its `max_failures` says.
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
