/**
 * The terminal while the board is shown: its alternate screen, without a cursor and without automatic line
 * breaks. Each line is written to its place, so a character that is wider than expected damages only its line.
 */
import type { WriteStream } from "node:tty";
import type { Size } from "./layout.ts";

const ESC = "\u001B[";
const ENTER = `${ESC}?1049h${ESC}?25l${ESC}?7l${ESC}2J`;
const LEAVE = `${ESC}0m${ESC}?7h${ESC}?25h${ESC}?1049l`;
/** The terminal shows what is between them at once, if it knows how to. */
const [BEGIN, END] = [`${ESC}?2026h`, `${ESC}?2026l`];

/** Of a terminal that does not say. */
const DEFAULT_SIZE: Size = { columns: 80, rows: 24 };

export class Screen {
  readonly #terminal: WriteStream;
  #lines: readonly string[] = [];
  #isEntered = false;

  constructor(terminal: WriteStream) {
    this.#terminal = terminal;
  }

  get size(): Size {
    const { columns, rows } = this.#terminal;
    // 0 columns are those of a terminal that does not know its size.
    return columns > 0 && rows > 0 ? { columns, rows } : DEFAULT_SIZE;
  }

  /** Whether the terminal is too slow for what was written. */
  get isBusy(): boolean {
    return this.#terminal.writableNeedDrain;
  }

  enter(): void {
    this.#isEntered = true;
    this.#terminal.write(ENTER);
  }

  /** Writes the lines that have changed. */
  show(lines: readonly string[]): void {
    // Lines that are no longer there become empty.
    const length = Math.max(lines.length, this.#lines.length);
    const changed = Array.from({ length }, (_, index) => {
      const line = lines[index] ?? "";
      return line === this.#lines[index] ? "" : `${ESC}${index + 1};1H${ESC}2K${line}`;
    }).join("");
    this.#lines = lines;
    if (changed !== "") this.#terminal.write(`${BEGIN}${changed}${END}`);
  }

  /** After a resize, nobody knows what is where. */
  clear(): void {
    this.#lines = [];
    this.#terminal.write(`${ESC}2J`);
  }

  /** Can be called again. */
  leave(): void {
    if (!this.#isEntered) return;
    this.#isEntered = false;
    this.#terminal.write(LEAVE);
  }
}
