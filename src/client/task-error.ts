/** The one error of the library: each failure has a code. */
import { CoordinatorError, ERROR_CODES, type ErrorCode, ERRORS } from "../protocol/errors.ts";
import { RequestFailedError, type RequestProblem } from "../nats/request.ts";

/** What a `TaskError` says in addition to its code and message. */
export interface TaskErrorOptions {
  /** Whether the same request may succeed when it is sent again. Default: as the code says. */
  readonly retryable?: boolean;
  /** Default: none. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** The record of the task that the error is about. */
  readonly task?: object | undefined;
  /** The error that led to this one. */
  readonly cause?: unknown;
}

/**
 * A refusal by the coordinator, or a request without an answer (code `unavailable`).
 *
 * @example
 * try {
 *   await coordinator.tasks.claim("P0.5.1", { session_id: "session-1" });
 * } catch (error) {
 *   if (!(error instanceof TaskError) || error.code !== "already_claimed") throw error;
 *   console.log(`taken by ${String(error.details.claimed_by)}`);
 * }
 */
export class TaskError extends Error {
  /** For those who cannot use `instanceof`. */
  override readonly name = "TaskError";
  /** What is wrong: one of the codes in `docs/errors.md`. */
  readonly code: ErrorCode;
  /** Whether the same request may succeed when it is sent again. */
  readonly retryable: boolean;
  /** What `docs/errors.md` promises for the code, such as `claimed_by` or `field`. */
  readonly details: Readonly<Record<string, unknown>>;
  /** The record of the task as the worker saw it, if the coordinator sent it. */
  readonly task: object | undefined;

  /** The library makes these errors. Programs may make them for tests. */
  constructor(code: ErrorCode, message: string, options: TaskErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? ERRORS[code].retryable;
    this.details = options.details ?? {};
    this.task = options.task;
  }
}

/** Whether it is a refusal or a failure with one of the codes. */
export function hasCode(error: unknown, ...codes: readonly ErrorCode[]): error is TaskError {
  return error instanceof TaskError && codes.includes(error.code);
}

/** A refusal by a check of the client, before anything was sent. */
export function fromLocalRefusal(error: CoordinatorError): TaskError {
  const { code, message, details } = error;
  return new TaskError(code, message, { details, cause: error });
}

/** An invalid argument, found before anything was sent. */
export function invalidInput(field: string, problem: string): TaskError {
  return new TaskError("invalid_request", `${field}: ${problem}`, { details: { field } });
}

/** `details.problem` distinguishes the reasons of `unavailable`. */
export function fromFailedRequest(error: RequestFailedError): TaskError {
  const { code, cure } = PROBLEMS[error.problem];
  return new TaskError(code, cure === null ? error.message : `${error.message}: ${cure}`, {
    details: { problem: error.problem },
    cause: error,
  });
}

const PROBLEMS: Record<RequestProblem, { code: ErrorCode; cure: string | null }> = {
  no_responders: {
    code: "unavailable",
    cure: "no coordinator is running there; start one with `if-coordinator serve --nats <url>`",
  },
  timeout: {
    code: "unavailable",
    cure: "it may have been carried out nevertheless; a retry is safe",
  },
  disconnected: { code: "unavailable", cure: "the connection is being made again" },
  closed: { code: "unavailable", cure: "open a new connection and try again" },
  not_permitted: { code: "forbidden", cure: "check the permissions of this NATS user" },
  too_large: { code: "too_large", cure: "send less, or raise max_payload of the NATS server" },
  failed: { code: "unavailable", cure: null },
};

/** The error in a reply, or `null` if the reply is a success. A reply that is neither is `internal`. */
export function fromReply(reply: unknown, subject: string): TaskError | null {
  if (isRecord(reply) && reply.ok === true) return null;
  const error = isRecord(reply) && reply.ok === false ? reply.error : undefined;
  if (!isRecord(reply) || !isRecord(error)) {
    return new TaskError("internal", `the answer of ${subject} is not a reply of a coordinator`, {
      details: { reply },
    });
  }
  const { code, message, retryable, ...details } = error;
  const { task } = reply;
  return new TaskError(knownCode(code), String(message), {
    retryable: retryable === true,
    details,
    task: isRecord(task) ? task : undefined,
  });
}

/** A newer coordinator may have codes that this version does not know. */
function knownCode(code: unknown): ErrorCode {
  return ERROR_CODES.find((known) => known === code) ?? "internal";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
