/**
 * What the commands write: results to stdout, remarks and errors to stderr. With `log.format` `json` each
 * line of `dev` and `serve` is JSON, as those of the log are.
 */
import pc from "picocolors";
import { VERSION } from "../version.ts";
import { jsonLine, writeProcessEventsAsJson } from "../telemetry/json-line.ts";

/** What a text for people says, for programs. */
export interface Announcement {
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

let isJson = false;

/** From now on everything is written as JSON. */
export function useJson(): void {
  if (isJson) return;
  isJson = true;
  writeProcessEventsAsJson(() => process.exit(1));
}

/** @param announcement what is written instead if it has to be JSON. Default: the text as its message */
export function print(text: string, announcement?: Announcement): void {
  const { message, fields } = announcement ?? { message: text, fields: {} };
  process.stdout.write(isJson ? jsonLine("info", message, fields) : `${text}\n`);
}

export function printError(text: string, level: "info" | "error" = "info"): void {
  process.stderr.write(isJson ? jsonLine(level, text.trimEnd()) : `${text}\n`);
}

/** That workers serve, where and how. */
export function announcementOf(
  { workers }: { readonly workers: number },
  { httpUrl }: { readonly httpUrl: string | null },
  more: Announcement["fields"],
): Announcement {
  const fields = { version: VERSION, ...more, workers, http: httpUrl };
  return { message: "if-coordinator serves", fields };
}

/** Rows of a name and a value, the values below each other. */
export function formatRows(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `  ${pc.dim(name.padEnd(width))}  ${value}`).join("\n");
}

/** Commands to copy, one below the other. */
export function formatCommands(commands: readonly string[]): string {
  return commands.map((command) => `  ${pc.cyan(command)}`).join("\n");
}
