/** Runs the command of a command line, and reports an error with the exit code that it means. */
import { createProgram } from "./program.ts";
import { asksForJson } from "./shared/data.ts";
import { refuseBrokenText } from "./shared/argument-text.ts";
import { endSoon, endWithClosedPipe } from "./shared/command-end.ts";
import { asksForJsonLog, wantsJsonLog } from "./shared/log-format.ts";
import { useJson } from "./shared/output.ts";

/** Sets the exit code of the process. Never rejects. */
export async function runCommandLine(args: readonly string[]): Promise<void> {
  endWithClosedPipe();
  // Before the settings are read, because they may be wrong.
  if (asksForJsonLog(args)) useJson();
  try {
    refuseBrokenText(args);
    await createProgram().command.parseAsync(args, { from: "user" });
  } catch (error) {
    if (wantsJsonLog(error)) useJson();
    // Loaded only now: a command that succeeds needs none of it.
    const { reportError } = await import("./shared/report-error.ts");
    process.exitCode = reportError(error, { isJson: asksForJson(args) });
  } finally {
    endSoon();
  }
}
