/** Lines outside of the log, in the format of the log, for programs that read both streams of a command. */
import type { LogLevel, LogLine } from "./log-lines.ts";

/** A line with the fields of a log line. */
export function jsonLine(level: LogLevel, message: string, fields: LogLine["fields"] = {}): string {
  return `${JSON.stringify({ level, time: new Date().toISOString(), ...fields, msg: message })}\n`;
}

/**
 * Writes what Node itself reports as JSON: its warnings, and an error that ends the process.
 *
 * @param end ends the process; it is called after an uncaught error
 */
export function writeProcessEventsAsJson(end: () => void): void {
  const write = (
    level: LogLevel,
    message: string,
    { name, message: problem, stack }: Error,
  ): void => {
    process.stderr.write(
      jsonLine(level, message, { err: { type: name, message: problem, stack } }),
    );
  };
  process.removeAllListeners("warning");
  process.on("warning", (warning) => {
    write("warn", "Node warns", warning);
  });
  process.on("uncaughtException", (error) => {
    write("error", "unexpected error", error);
    end();
  });
}
