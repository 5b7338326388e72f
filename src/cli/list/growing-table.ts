/**
 * A table that is printed while its rows arrive. A column is as wide as its widest cell so far, so the columns
 * of a later page can be wider, and the memory is that of one page.
 */
import { printable } from "../shared/terminal-text.ts";

const GAP = "  ";

export class GrowingTable {
  readonly #columns: readonly string[];
  readonly #widths: number[];
  readonly #maxWidth: number;

  /** @param maxWidth of a line, in columns of the terminal. The last cell is cut to fit. */
  constructor(columns: readonly string[], maxWidth = Infinity) {
    this.#columns = columns;
    this.#widths = columns.map(() => 0);
    this.#maxWidth = maxWidth;
  }

  /** The names of the columns, as wide as these rows need them. */
  header(firstRows: readonly (readonly string[])[]): string {
    this.#widen([this.#columns, ...firstRows]);
    return this.#line(this.#columns);
  }

  /** The lines of the rows, each with its line end. Cells are made printable. */
  page(rows: readonly (readonly string[])[]): string {
    this.#widen(rows);
    return rows.map((row) => `${this.#line(row)}\n`).join("");
  }

  #widen(rows: readonly (readonly string[])[]): void {
    for (const row of rows) {
      row.forEach((cell, i) => {
        this.#widths[i] = Math.max(this.#widths[i] ?? 0, cell.length);
      });
    }
  }

  /** Only the last column can hold text in which a character is not one column wide. */
  #line(row: readonly string[]): string {
    const last = row.length - 1;
    const first = row.slice(0, last).map((cell, i) => cell.padEnd(this.#widths[i] ?? 0) + GAP);
    const start = first.join("");
    return (start + cut(printable(row[last] ?? ""), this.#maxWidth - start.length)).trimEnd();
  }
}

/** East Asian wide characters and emoji, which take two columns. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}]/u;

/** As much of the text as fits, with … if something is left out. At least one character. */
function cut(text: string, width: number): string {
  if (text.length * 2 <= width) return text;
  let used = 0;
  let kept = "";
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    const size = WIDE.test(segment) ? 2 : 1;
    if (used + size > width) return `${used < width ? kept : withoutLast(kept)}…`;
    used += size;
    kept += segment;
  }
  return kept;
}

function withoutLast(text: string): string {
  return Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment)
    .slice(0, -1)
    .join("");
}
