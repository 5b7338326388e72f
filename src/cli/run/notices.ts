/** What `run` itself says, on lines of standard error between the output of the commands. */
import type { Writable } from "node:stream";
import type { Logger } from "../../client/logger.ts";
import { printable } from "../shared/terminal-text.ts";

const LINE_END = 10;

export class Notices {
  readonly #stream: Writable & { readonly isTTY?: boolean };
  readonly #isQuiet: boolean;
  #isAtLineStart = true;

  /** @param isQuiet says only what is wrong */
  constructor(stream: Writable, isQuiet: boolean) {
    this.#stream = stream;
    this.#isQuiet = isQuiet;
  }

  say(text: string): void {
    if (!this.#isQuiet) this.warn(text);
  }

  /** The text can contain the words of others, such as why somebody has taken the task away. */
  warn(text: string): void {
    if (!this.#stream.writable) return;
    const start = this.#isAtLineStart ? "" : "\n";
    this.#stream.write(`${start}if-coordinator: ${printable(text)}\n`);
    this.#isAtLineStart = true;
  }

  /** A command has written this. A terminal shows both outputs. */
  readonly passed = (target: Writable & { readonly isTTY?: boolean }, chunk: Buffer): void => {
    const isSame =
      target === this.#stream || (target.isTTY === true && this.#stream.isTTY === true);
    if (isSame) this.#isAtLineStart = chunk.at(-1) === LINE_END;
  };

  /** For the library: faults that it has overcome, or is trying to. */
  get logger(): Logger {
    const warn = (message: string): void => {
      this.warn(message);
    };
    return { debug: () => undefined, warn, error: warn };
  }
}
