/** How the process of a command ends. A hook needs it without the command line, so it does not load commander. */
import { EXIT } from "./exit-codes.ts";

/**
 * Something half open, such as a connection that was never answered, must not keep the process alive.
 *
 * @param ms time to write the last output
 */
export function endSoon(ms = 1_000): void {
  setTimeout(() => process.exit(), ms).unref();
}

/** What happens when standard output can no longer be written. */
let outputFailed = (error: NodeJS.ErrnoException): void => {
  // A reader such as `head` closes the pipe when it has enough. That is no error of the command.
  if (error.code === "EPIPE") process.exit(0);
  process.stderr.write(`if-coordinator: the output cannot be written: ${error.message}\n`);
  process.exit(EXIT.failed);
};

/** For a command that has something to put in order before it ends. */
export function onOutputError(listener: (error: NodeJS.ErrnoException) => void): void {
  outputFailed = listener;
}

/** Ends the command when standard output can no longer be written. */
export function endWithClosedPipe(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    outputFailed(error);
  });
  // Nobody can be told.
  process.stderr.on("error", () => undefined);
}
