/**
 * The content of large records is left out of the indexes: it would take most of a worker's memory, and only
 * the answers with the whole record need it. It is read from the store then.
 */
import type { Task } from "../task/task.ts";

/** The content of a larger record is left out. Most records are smaller. */
export const LARGE_RECORD_BYTES = 2_048;

export type ContentField = "description" | "metadata" | "payload" | "result" | "error";

/** Stands for content that is left out. A record with it can be neither stored nor sent. */
class LeftOut {
  toJSON(): never {
    throw new Error("the content of this task is left out: read its record from the store");
  }
}

const LEFT_OUT = new LeftOut();

/** The fields of a task without its content. They can be read, but not encoded. */
export const NO_CONTENT = {
  description: LEFT_OUT as unknown as string,
  metadata: LEFT_OUT as unknown as Task["metadata"],
  payload: LEFT_OUT,
  result: LEFT_OUT,
  error: LEFT_OUT,
} as const satisfies Pick<Task, ContentField>;
