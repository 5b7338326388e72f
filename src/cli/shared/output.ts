/**
 * What the commands write: results to stdout, notices and errors to stderr. If `log.format` is `json`, each
 * line of `dev` and `serve` is JSON, as in the log. Hooks load it, so it loads nothing for colours.
 */
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
