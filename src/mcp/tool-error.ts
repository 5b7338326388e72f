/** An error that a model can act on: what happened, and what to do next. */
import type { ErrorCode } from "../protocol/errors.ts";
import { TaskError } from "../client/task-error.ts";
import { shortText } from "./task-view.ts";

export class ToolError extends Error {
  override readonly name = "ToolError";
  readonly code: ErrorCode;
  /** An instruction for the model. */
  readonly next: string;

  constructor(code: ErrorCode, message: string, next: string) {
    super(message);
    this.code = code;
    this.next = next;
  }
}

/** What to do about each refusal. */
const NEXT: Readonly<Record<ErrorCode, string>> = {
  invalid_request: "Correct the arguments and call the tool again.",
  forbidden: "Do not try again. Tell the user that this session has no permission.",
  not_found: "Check the id with show_tasks.",
  already_exists: "Use another task_id.",
  already_claimed: "Take another task with next_task.",
  not_available: "Take another task with next_task.",
  not_holder: "Stop working on it, publish nothing, and call next_task.",
  lease_lost: "Stop working on it, publish nothing, and call next_task.",
  session_replaced: "Stop working on it, publish nothing, and call next_task.",
  missing_capabilities: "Take another task with next_task.",
  conflict: "Call the tool again.",
  too_large: "Send less: put the content into a file, and name the file.",
  corrupt_record: "Tell the user. Take another task with next_task.",
  limit_reached: "Finish or give back what you hold. If that does not help, tell the user.",
  overloaded: "Wait for some seconds, then call the tool again.",
  unavailable:
    "Go on with the task that you hold, and call the tool again in a minute. If that does not help, tell " +
    "the user to start the coordinator: if-coordinator dev",
  bucket_unusable: "Tell the user to run: if-coordinator doctor",
  internal: "Call the tool again once. If that does not help, tell the user.",
};

/** What a program would do. A model has tools. */
const OF_PROTOCOL = /: create it with tasks\.create\.\S+$/;
/** Messages may repeat what the model has sent. */
const MAX_MESSAGE = 600;

export function toToolError(error: unknown): ToolError {
  if (error instanceof ToolError) return error;
  if (error instanceof TaskError) {
    const message = error.message.replace(OF_PROTOCOL, "");
    return new ToolError(error.code, shortText(message, MAX_MESSAGE), NEXT[error.code]);
  }
  const message = error instanceof Error ? error.message : String(error);
  const code = isConnectionError(error) ? "unavailable" : "internal";
  return new ToolError(code, shortText(message, MAX_MESSAGE), NEXT[code]);
}

/** By their names: the options that say how to connect come from the command, and so do their errors. */
function isConnectionError(error: unknown): boolean {
  return error instanceof Error && ["ConnectionError", "ContextError"].includes(error.name);
}
