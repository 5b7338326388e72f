/** Lines beside the log that look like its lines, for programs that read both streams of a command. */
import type { LogLevel, LogLine } from "./log-lines.ts";

/** With the names that the log has. */
export function jsonLine(level: LogLevel, message: string, fields: LogLine["fields"] = {}): string {
  return `${JSON.stringify({ level, time: new Date().toISOString(), ...fields, msg: message })}\n`;
}

/**
 * Lets what Node itself says of this process be JSON as well: its warnings, and the error that ends it.
 *
 * @param end ends the process; is called after an error that nobody has caught
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
