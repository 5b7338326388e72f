/** Writes an error to standard error: a sentence, or the document of a program. */
import { errorDocument, reportOf } from "./error-report.ts";
import type { ExitCode } from "./exit-codes.ts";
import { printError } from "./output.ts";
import { printableLines } from "./terminal-text.ts";
import { jsonText } from "./json-text.ts";

/** @returns the exit code that the error means */
export function reportError(error: unknown, { isJson }: { readonly isJson: boolean }): ExitCode {
  const { text, exitCode } = reportOf(error);
  if (text === undefined) return exitCode;
  if (isJson) process.stderr.write(`${jsonText(errorDocument(error))}\n`);
  else printError(printableLines(text), "error");
  return exitCode;
}
