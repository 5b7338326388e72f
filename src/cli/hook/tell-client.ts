/**
 * How a client learns what its hook has found. A model reads it, so it is plain text, also if the log is JSON.
 * Most hooks find nothing, and do not load this.
 */
import { printableLines } from "../shared/terminal-text.ts";
import type { Finding } from "./run-hook.ts";

/** Clients take this code for a refusal, and show the model what is on standard error. */
const REFUSED = 2;

export function tellClient({ text, isRefusal }: Finding): void {
  if (isRefusal) {
    process.stderr.write(`if-coordinator: ${printableLines(text)}\n`);
    process.exitCode = REFUSED;
  } else {
    process.stdout.write(`${text}\n`);
  }
}
