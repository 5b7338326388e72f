/**
 * What an error means for the user of the command line: a text and the exit code.
 *
 * Errors are recognized by their names, because their classes are in modules that most commands do not load.
 */
import type { TaskError } from "../../client/task-error.ts";
import { ERROR_CODES, type ErrorCode, toErrorReply } from "../../protocol/errors.ts";
import { inCommandWords } from "./command-words.ts";
import { ExitError } from "./errors.ts";
import { EXIT, EXIT_OF_CODE, type ExitCode } from "./exit-codes.ts";

export interface Report {
  /** `undefined`: commander has written the help or the version. */
  readonly text: string | undefined;
  readonly exitCode: ExitCode;
}

/** Errors whose message says what to do. Any other error is a defect and is shown with its stack. */
const EXPECTED_ERRORS: Readonly<Record<string, ExitCode>> = {
  UsageError: EXIT.usage,
  ConfigError: EXIT.usage,
  ContextError: EXIT.usage,
  SimulationOptionError: EXIT.usage,
  ConnectionError: EXIT.noCoordinator,
  StartupError: EXIT.failed,
  FolderInUseError: EXIT.failed,
  NatsServerError: EXIT.failed,
  ServerBinaryError: EXIT.failed,
  AuthError: EXIT.failed,
  AccountRefusedError: EXIT.failed,
};

export function reportOf(error: unknown): Report {
  if (!(error instanceof Error)) {
    return { text: `if-coordinator: ${String(error)}`, exitCode: EXIT.failed };
  }
  if (error.name === "CommanderError" && "exitCode" in error) {
    // Help and version end as an "error" with code 0.
    return { text: undefined, exitCode: error.exitCode === 0 ? EXIT.done : EXIT.usage };
  }
  const exitCode = exitCodeOf(error);
  if (exitCode !== undefined) {
    const message = isTaskError(error)
      ? inCommandWords(error.message, error.details.field)
      : error.message;
    return { text: `if-coordinator: ${message}`, exitCode };
  }
  const text = `if-coordinator: unexpected error\n${error.stack ?? error.message}`;
  return { text, exitCode: EXIT.failed };
}

/** The error as a program reads it: as in a reply of the coordinator. */
export function errorDocument(error: unknown): object {
  if (isTaskError(error)) {
    return toErrorReply(error);
  }
  const message = error instanceof Error ? error.message : String(error);
  const exitCode = error instanceof Error ? exitCodeOf(error) : undefined;
  const code = exitCode === undefined ? undefined : CODE_OF_EXIT[exitCode];
  return { ok: false, error: { code: code ?? "internal", message } };
}

/** For errors that are no reply of a coordinator. */
const CODE_OF_EXIT: Partial<
  Record<ExitCode, ErrorCode | "failed" | "nothing_to_do" | "timed_out">
> = {
  [EXIT.failed]: "failed",
  [EXIT.usage]: "invalid_request",
  [EXIT.refused]: "not_available",
  [EXIT.claimLost]: "lease_lost",
  [EXIT.nothingToDo]: "nothing_to_do",
  [EXIT.notFound]: "not_found",
  [EXIT.noCoordinator]: "unavailable",
  [EXIT.timedOut]: "timed_out",
};

/** Why there is no connection, if what was typed is the reason. */
const WRONG_VALUES = ["ConnectionValueError", "LoginFileError"];

function exitCodeOf(error: Error): ExitCode | undefined {
  if (error instanceof ExitError) return error.exitCode;
  if (error.cause instanceof Error && WRONG_VALUES.includes(error.cause.name)) return EXIT.usage;
  return isTaskError(error) ? EXIT_OF_CODE[error.code] : EXPECTED_ERRORS[error.name];
}

/** By its name and code, because its class is in a module that most commands do not load. */
export function isTaskError(error: unknown): error is TaskError {
  if (!(error instanceof Error) || error.name !== "TaskError" || !("code" in error)) return false;
  return ERROR_CODES.some((code) => code === error.code);
}
