/** A task on its way into a reply. */
import { type EncodedRecord, encodeTask, type TaskRecord } from "../protocol/task-record.ts";
import type { Task } from "../task/task.ts";
import type { KnownTask } from "./task-index.ts";

/** A task for a reply. */
export interface SentTask extends KnownTask {
  /** If this worker has just written it. */
  readonly record?: EncodedRecord | undefined;
}

/** A task after a command. */
export interface Executed extends SentTask {
  /** `false`: nothing had to be written, an idempotent repeat. */
  readonly written: boolean;
}

/** `before`: the task that the write has replaced; `null`: the write has created the task. */
export type WriteListener = (written: Executed, before: Task | null) => void;

/** The record for the reply, encoded if it is at hand so. */
export function recordOf({ task, record }: SentTask): EncodedRecord | TaskRecord {
  return record ?? encodeTask(task);
}
