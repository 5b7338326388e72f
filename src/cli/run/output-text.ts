/** What the end of an output says, as text. Output can have any bytes: those that are not UTF-8 are replaced. */

/** The end of an output. `isCut`: there was more before it. */
export interface OutputEnd {
  readonly bytes: Buffer;
  readonly isCut: boolean;
}

export interface OutputLine {
  readonly text: string;
  /** Only the end of the line is known. */
  readonly isCut: boolean;
}

/** `\r` alone too: programs that show their progress write over their last line. */
const LINE_END = /\r\n|\n|\r/;
/** A byte of UTF-8 that continues a character. */
const CONTINUATION = { mask: 0b1100_0000, value: 0b1000_0000 };
const LONGEST_CHARACTER = 4;

/** The last line that is not blank, without its line end; `null` if there is none. */
export function lastLine(end: OutputEnd): OutputLine | null {
  const lines = textOf(end).split(LINE_END);
  const index = lines.findLastIndex((line) => line.trim() !== "");
  const text = lines[index];
  return text === undefined ? null : { text, isCut: end.isCut && index === 0 };
}

/** The last lines. If the output was cut, they begin with the first whole line. */
export function lastLines(end: OutputEnd): string {
  const text = textOf(end);
  const firstEnd = text.indexOf("\n");
  const isWhole = !end.isCut || firstEnd === -1 || firstEnd === text.length - 1;
  return (isWhole ? text : text.slice(firstEnd + 1)).trimEnd();
}

function textOf({ bytes, isCut }: OutputEnd): string {
  return bytes.toString("utf8", isCut ? startOfCharacter(bytes) : 0);
}

/** The cut can be inside a character. */
function startOfCharacter(bytes: Buffer): number {
  let start = 0;
  while (start < LONGEST_CHARACTER - 1 && isContinuation(bytes[start])) start++;
  return start;
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & CONTINUATION.mask) === CONTINUATION.value;
}
