/**
 * What the commands write: results to stdout, notices and errors to stderr. If `log.format` is `json`, each
 * line of `dev` and `serve` is JSON, as in the log.
 */
import { colors } from "./colors.ts";
import { VERSION } from "../../version.ts";
import { jsonLine, writeProcessEventsAsJson } from "../../telemetry/json-line.ts";

/** The content of a text, for programs. */
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

/** @param announcement is written in place of the text if the output is JSON. Default: the text as its message */
export function print(text: string, announcement?: Announcement): void {
  const { message, fields } = announcement ?? { message: text, fields: {} };
  process.stdout.write(isJson ? jsonLine("info", message, fields) : `${text}\n`);
}

export function printError(text: string, level: "info" | "error" = "info"): void {
  process.stderr.write(isJson ? jsonLine(level, text.trimEnd()) : `${text}\n`);
}

/** Says that the workers serve, and at which addresses. */
export function announcementOf(
  { workers }: { readonly workers: number },
  { httpUrl }: { readonly httpUrl: string | null },
  more: Announcement["fields"],
): Announcement {
  const fields = { version: VERSION, ...more, workers, http: httpUrl };
  return { message: "if-coordinator serves", fields };
}

/** Rows of a name and a value, with the values aligned. */
export function formatRows(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `  ${colors.dim(name.padEnd(width))}  ${value}`).join("\n");
}

/** Commands to copy, one on each line. */
export function formatCommands(commands: readonly string[]): string {
  return commands.map((command) => `  ${colors.cyan(command)}`).join("\n");
}
