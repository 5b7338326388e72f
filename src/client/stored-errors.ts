/** What becomes a task's `error`: of what was thrown, as much as can be stored. */
import { TaskError } from "./task-error.ts";

/** Characters of a message: what is longer says no more, and may not fit into the record. */
const LONGEST_MESSAGE = 8_192;
const LONGEST_NAME = 256;

/** JSON shows nothing of an `Error`: its name and message are kept. Anything else is kept as it is. */
export function toStoredError(error: unknown): unknown {
  if (!(error instanceof Error)) return error ?? null;
  const { name, message } = error;
  return { name: shorten(name, LONGEST_NAME), message: shorten(message, LONGEST_MESSAGE) };
}

/** Refusals of what was sent, not of the claim: the task is still held. */
const OF_CONTENT: ReadonlySet<string> = new Set(["invalid_request", "too_large"]);

export function isOfContent(error: unknown): error is TaskError {
  return error instanceof TaskError && OF_CONTENT.has(error.code);
}

/** The refusal of a result or an error, which would be the same each time. */
export function neverStored(what: string, taskId: string, refusal: TaskError): TaskError {
  const { code, message, details } = refusal;
  return new TaskError(code, `the ${what} of ${taskId} can never be stored: ${message}`, {
    details,
    cause: refusal,
  });
}

/** Programs can set both to anything. */
function shorten(given: unknown, length: number): string {
  const text = String(given).toWellFormed();
  if (text.length <= length) return text;
  return `${text.slice(0, length).toWellFormed()}... (${text.length - length} more characters)`;
}
