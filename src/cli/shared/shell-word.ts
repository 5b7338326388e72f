/** Text as one word of a shell command that a person or an agent copies. */
import { printable } from "./terminal-text.ts";

/** In single quotes if a shell would read it in another way. Control characters are shown, not sent. */
export function shellWord(text: string): string {
  const word = printable(text);
  return /^[\w./:@=,+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
