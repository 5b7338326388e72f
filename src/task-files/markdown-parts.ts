/**
 * Parses Markdown. The syntax tree takes about 500 times the memory of the text, so a long file is parsed
 * in portions: at blank lines, and within long tables.
 */
import type { Root } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { gfmFromMarkdown } from "mdast-util-gfm";
import { gfm } from "micromark-extension-gfm";

/** A part of the file, and how its offsets become those of the file. */
export interface MarkdownPart {
  readonly root: Root;
  readonly offsetOf: (offset: number) => number;
  /** Whether it begins with more rows of the table above, under a copy of its header. */
  readonly isContinued: boolean;
}

/** Files up to this length are parsed at once, in characters. */
const WHOLE = 128 * 1024;
const PORTION = 16 * 1024;

const OPTIONS = { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] };

export function* markdownParts(text: string): Generator<MarkdownPart> {
  for (const { start, end, head } of portionsOf(text)) {
    const root = fromMarkdown(head + text.slice(start, end), OPTIONS);
    yield {
      root,
      offsetOf: (offset) => Math.max(start, start + offset - head.length),
      isContinued: head !== "",
    };
  }
}

interface Portion {
  readonly start: number;
  readonly end: number;
  /** The header of the table that the portion continues. */
  readonly head: string;
}

const DELIMITER_ROW = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;
const FENCE = /^ {0,3}(?:`{3,}|~{3,})/;

function portionsOf(text: string): Portion[] {
  if (text.length <= WHOLE) return [{ start: 0, end: text.length, head: "" }];
  const portions: Portion[] = [];
  let [start, head, tableHead] = [0, "", ""];
  let fence = "";
  let isComment = false;
  let previous = "";
  const cut = (at: number, nextHead: string): void => {
    portions.push({ start, end: at, head });
    [start, head] = [at, nextHead];
  };
  for (let at = 0; at < text.length;) {
    const newline = text.indexOf("\n", at);
    const next = newline === -1 ? text.length : newline + 1;
    const line = text.slice(at, next).trimEnd();
    const [sign = ""] = FENCE.exec(line) ?? [];
    if (fence !== "") {
      if (sign.trim().startsWith(fence)) fence = "";
    } else if (sign !== "") fence = sign.trim();
    else if (isComment || line.includes("<!--")) isComment = !line.includes("-->");
    else if (line === "") tableHead = "";
    else if (line.includes("|") && DELIMITER_ROW.test(line)) tableHead = `${previous}\n${line}\n`;
    const isLong = at - start > PORTION;
    const isPlain = fence === "" && !isComment;
    // A paragraph or a heading begins here, so nothing goes on from above.
    if (isLong && isPlain && previous === "" && /^[^\s>|]/.test(line)) cut(at, "");
    // An entry of a list begins here. What belongs to the entry above is indented.
    else if (isLong && isPlain && /^[-*+] /.test(line)) cut(at, "");
    // The next row of a long table.
    else if (isLong && isPlain && tableHead !== "" && line.includes("|")) cut(at, tableHead);
    previous = line;
    at = next;
  }
  cut(text.length, "");
  return portions;
}
