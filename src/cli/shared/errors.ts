/** Errors of commands. `error-report.ts` says what an error means for the user. */
import type { ExitCode } from "./exit-codes.ts";

/** What was typed, or a file, cannot be used. The message names it and says what to do. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The command ends with this exit code. The message is for the user. */
export class ExitError extends Error {
  override readonly name = "ExitError";
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}
