/** Text of others for the terminal: a task's title must not move the cursor, or look like another title. */

/** Control and format characters (such as those that change the direction), line separators, half a pair. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u{FE00}-\u{FE0F}\u{1F3FB}-\u{1F3FF}]/gu;
/** What joins letters or emoji, and selects the form of an emoji: terminals disagree about the width. */
const JOINING = /[\u200C\u200D\u{FE00}-\u{FE0F}\u{1F3FB}-\u{1F3FF}]/u;

const CONTROL_PICTURES = 0x2400;

/**
 * On one line. Line ends and tabs become blanks. Control characters become their pictures (an escape becomes
 * `␛`), so that a reader sees what is there. Other characters that are invisible become `�`.
 */
export function printable(text: string): string {
  return text.replace(/\r\n/g, " ").replace(UNSAFE, shown);
}

function shown(character: string): string {
  if (/[\t-\r\u2028\u2029]/.test(character)) return " ";
  if (JOINING.test(character)) return "";
  const code = character.charCodeAt(0);
  return code < 0x20 ? String.fromCharCode(CONTROL_PICTURES + code) : "\ufffd";
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
