/** Texts of others as the board keeps them: short, and safe for a terminal. */
import { printable } from "../shared/terminal-text.ts";

/** Code points. A wide terminal shows fewer. */
const MAX_LENGTH = 300;

/** A copy: a part of a string that is not copied would keep all of it in memory. */
export function kept(text: string): string {
  // A code point has at most two units, so the rest of a long text need not be looked at.
  const characters = Array.from(text.slice(0, 2 * MAX_LENGTH + 2));
  const end = characters.length > MAX_LENGTH ? "…" : "";
  return printable(characters.slice(0, MAX_LENGTH).join("")) + end;
}
