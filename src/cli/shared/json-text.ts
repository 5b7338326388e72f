/** JSON that is safe on a terminal. For a program, it is the same document. */

/** JSON itself escapes only those below U+0020. These command some terminals, or change the direction. */
const UNSAFE = /[\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** As `JSON.stringify`, with `\u009b` in place of the control character. */
export function jsonText(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(
    UNSAFE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
