/** What is stored as a task's `error`: as much of a thrown value as the record can hold. */
import { TaskError } from "./task-error.ts";

/** Characters. A longer message may not fit into the record. */
const LONGEST_MESSAGE = 8_192;
const LONGEST_NAME = 256;

/** JSON shows nothing of an `Error`, so its name and message are kept. Any other value is kept as it is. */
export function toStoredError(error: unknown): unknown {
  if (!(error instanceof Error)) return error ?? null;
  const { name, message } = error;
  return { name: shorten(name, LONGEST_NAME), message: shorten(message, LONGEST_MESSAGE) };
}

/** The content was refused, not the claim: the task is still held. */
const OF_CONTENT: ReadonlySet<string> = new Set(["invalid_request", "too_large"]);

export function isOfContent(error: unknown): error is TaskError {
  return error instanceof TaskError && OF_CONTENT.has(error.code);
}

/** The error for a result or an error whose content is refused, as it would be each time. */
export function neverStored(what: string, taskId: string, refusal: TaskError): TaskError {
  const { code, message, details } = refusal;
  return new TaskError(code, `the ${what} of ${taskId} can never be stored: ${message}`, {
    details,
    cause: refusal,
  });
}

/** Programs can set the name and the message of an error to any value. */
function shorten(given: unknown, length: number): string {
  const text = String(given).toWellFormed();
  if (text.length <= length) return text;
  return `${text.slice(0, length).toWellFormed()}... (${text.length - length} more characters)`;
}
