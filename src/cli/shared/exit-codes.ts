/** The exit codes of all commands, so that a script can decide by them. docs/cli.md lists them. */
import type { ErrorCode } from "../../protocol/errors.ts";

export const EXIT = {
  /** What was asked for is done. */
  done: 0,
  /** It did not work for a reason that has no code of its own, or a check has found problems. */
  failed: 1,
  /** The command line, a setting, a file or a request is wrong. */
  usage: 2,
  /** The coordinator refuses: for example, another session holds the task. */
  refused: 3,
  /** The session does not hold the claim, or no longer. */
  claimLost: 4,
  /** There is no task to work on. */
  nothingToDo: 5,
  /** The task or session does not exist. */
  notFound: 6,
  /** No coordinator: NATS cannot be reached, refuses the user, or nobody answers. */
  noCoordinator: 7,
  /** What the command waited for has not happened in time. */
  timedOut: 8,
  /** The lease is renewed, but the session is asked to stop. */
  stopRequested: 9,
  /** Ended by SIGINT (Ctrl-C), as a shell reports it. */
  interrupted: 130,
  /** Ended by SIGTERM, as a shell reports it. */
  terminated: 143,
} as const;

/** The exit code with which a shell reports the end by a signal. */
export const EXIT_OF_SIGNAL = {
  SIGINT: EXIT.interrupted,
  SIGTERM: EXIT.terminated,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The exit code for each refusal. */
export const EXIT_OF_CODE: Readonly<Record<ErrorCode, ExitCode>> = {
  invalid_request: EXIT.usage,
  too_large: EXIT.usage,
  forbidden: EXIT.refused,
  already_exists: EXIT.refused,
  already_claimed: EXIT.refused,
  not_available: EXIT.refused,
  missing_capabilities: EXIT.refused,
  conflict: EXIT.refused,
  limit_reached: EXIT.refused,
  not_holder: EXIT.claimLost,
  lease_lost: EXIT.claimLost,
  session_replaced: EXIT.claimLost,
  not_found: EXIT.notFound,
  overloaded: EXIT.noCoordinator,
  unavailable: EXIT.noCoordinator,
  bucket_unusable: EXIT.noCoordinator,
  corrupt_record: EXIT.failed,
  internal: EXIT.failed,
};
