/** The text of a file, decoded from its bytes, and the lines and columns of its characters. */

/** Texts are kept in one string. V8 refuses longer ones at about 512 MiB. */
export const MAX_FILE_BYTES = 256 * 1024 * 1024;

/** A file that cannot be read as text at all. */
export class UnreadableText extends Error {
  override readonly name = "UnreadableText";
  /** Position of the first wrong byte in the decoded text before it. */
  readonly textBefore: string;

  constructor(message: string, textBefore = "") {
    super(message);
    this.textBefore = textBefore;
  }
}

export interface Position {
  /** From 1. */
  readonly line: number;
  /** From 1, in characters (UTF-16 units, as editors count). */
  readonly column: number;
}

/** A text with the name that messages give to it: a path, or `standard input`. */
export class SourceText {
  readonly name: string;
  readonly text: string;
  #lineStarts: number[] | null = null;

  constructor(name: string, text: string) {
    this.name = name;
    this.text = text;
  }

  positionOf(offset: number): Position {
    const starts = (this.#lineStarts ??= lineStartsOf(this.text));
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  }

  /** `board.md:12:5`. */
  placeOf(offset: number): string {
    const { line, column } = this.positionOf(offset);
    return `${this.name}:${line}:${column}`;
  }
}

function lineStartsOf(text: string): number[] {
  const starts = [0];
  for (const { index, 0: end } of text.matchAll(/\r\n|\n|\r/g)) starts.push(index + end.length);
  return starts;
}

const UTF8_BOM = "\uFEFF";

/**
 * UTF-8 with or without a byte order mark.
 *
 * @throws UnreadableText for other encodings
 */
export function decodeText(bytes: Uint8Array): string {
  if (bytes.length > MAX_FILE_BYTES) {
    const megabytes = Math.ceil(bytes.length / 1024 / 1024);
    throw new UnreadableText(
      `the file has ${megabytes} MiB; at most ${MAX_FILE_BYTES / 1024 / 1024} MiB are read: ` +
        "split it into several files",
    );
  }
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    throw new UnreadableText(`the file is UTF-16: ${SAVE_AS_UTF8}`);
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new UnreadableText(`the file is not UTF-8: ${SAVE_AS_UTF8}`, textBeforeError(bytes));
  }
  return text.startsWith(UTF8_BOM) ? text.slice(1) : text;
}

const SAVE_AS_UTF8 =
  "save it as UTF-8, for example with `iconv -t UTF-8 -f <its encoding> FILE > NEW_FILE`";

/** Everything up to the first bytes that are not UTF-8. */
function textBeforeError(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes);
  const original = Buffer.from(text);
  let same = 0;
  while (same < bytes.length && bytes[same] === original[same]) same++;
  const before = new TextDecoder().decode(bytes.subarray(0, same));
  return before.replace(/\uFFFD+$/, "");
}
