/** Text of others for the terminal: a task's title must not move the cursor, or look like another title. */

/** Control characters, and characters that change the direction or are invisible. */
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** On one line. Line ends and tabs become blanks, and other characters that cannot be shown become �. */
export function printable(text: string): string {
  return text.replace(/\r\n|[\n\r\t]/g, " ").replace(UNSAFE, "\ufffd");
}

/** As `printable`, but lines stay lines. */
export function printableLines(text: string): string {
  return text.split("\n").map(printable).join("\n");
}

/** At most so many characters, of which the last is … if some are left out. */
export function shortened(text: string, most: number): string {
  if (text.length <= most) return text;
  const characters = Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment);
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join("")}…`;
}
