/** The error codes, and errors on their way to the client. */

export interface ErrorDefinition {
  /** As in HTTP; sent in the header `Nats-Service-Error-Code`. */
  readonly status: number;
  /** Whether the same request may succeed when it is sent again. */
  readonly retryable: boolean;
}

/**
 * The closed table of error codes. Programs decide by the code; the message is for people. A code never
 * gets another meaning, and a code that was dropped is never used again. A test compares docs/errors.md
 * with this table.
 */
export const ERRORS = {
  invalid_request: { status: 400, retryable: false },
  forbidden: { status: 403, retryable: false },
  not_found: { status: 404, retryable: false },
  already_exists: { status: 409, retryable: false },
  already_claimed: { status: 409, retryable: false },
  not_available: { status: 409, retryable: false },
  not_holder: { status: 409, retryable: false },
  lease_lost: { status: 409, retryable: false },
  session_replaced: { status: 409, retryable: false },
  missing_capabilities: { status: 409, retryable: false },
  conflict: { status: 409, retryable: true },
  too_large: { status: 413, retryable: false },
  corrupt_record: { status: 422, retryable: false },
  limit_reached: { status: 429, retryable: false },
  overloaded: { status: 429, retryable: true },
  unavailable: { status: 503, retryable: true },
  bucket_unusable: { status: 503, retryable: false },
  internal: { status: 500, retryable: false },
} as const satisfies Record<string, ErrorDefinition>;

/**
 * The codes of errors; `docs/errors.md` says what each means.
 *
 * @useDeclaredType
 */
export type ErrorCode = keyof typeof ERRORS;

export const ERROR_CODES = Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]];

/** A refusal on its way to the client. */
export class CoordinatorError extends Error {
  override readonly name = "CoordinatorError";
  readonly code: ErrorCode;
  /** Fields of the reply's `error` in addition to `code` and `message`, such as `claimed_by`. */
  readonly details: Readonly<Record<string, unknown>>;
  /** The record of the task that the refusal is about, if it is known. */
  readonly task: object | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { details?: Record<string, unknown>; task?: object; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
    this.task = options.task;
  }

  get retryable(): boolean {
    return ERRORS[this.code].retryable;
  }
}

/** Whether a thrown value is a refusal with one of the codes. */
export function hasCode(error: unknown, ...codes: readonly ErrorCode[]): error is CoordinatorError {
  return error instanceof CoordinatorError && codes.includes(error.code);
}

/** The reply of a request that was refused. */
export interface ErrorReply {
  readonly ok: false;
  readonly error: {
    readonly code: ErrorCode;
    readonly message: string;
    readonly retryable: boolean;
    readonly [detail: string]: unknown;
  };
  readonly task?: object;
}

/** What a reply says of an error. */
type ErrorFields = Pick<CoordinatorError, "code" | "message" | "retryable" | "details" | "task">;

export function toErrorReply(error: ErrorFields): ErrorReply {
  return {
    ok: false,
    error: {
      ...error.details,
      code: error.code,
      message: error.message,
      retryable: error.retryable,
    },
    ...(error.task === undefined ? {} : { task: error.task }),
  };
}
