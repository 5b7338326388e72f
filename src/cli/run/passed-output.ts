/**
 * Passes an output of the command on, and remembers its end. If the reader is slow, the command waits, as it
 * would if it wrote to the reader itself.
 */
import type { Readable, Writable } from "node:stream";
import { ByteTail } from "./byte-tail.ts";
import type { OutputEnd } from "./output-text.ts";

/** Called for each chunk that was passed on to a stream. */
export type OnPassed = (target: Writable, chunk: Buffer) => void;

export class PassedOutput {
  readonly #source: Readable;
  readonly #target: Writable;
  readonly #tail: ByteTail;
  readonly #passed: OnPassed;
  /** Resolves when the command and everything that it has started have closed the output. */
  readonly closed: Promise<void>;
  #mayWait = true;

  /** @param tailBytes how much of the end is remembered */
  constructor(source: Readable, target: Writable, tailBytes: number, passed: OnPassed) {
    this.#source = source;
    this.#target = target;
    this.#tail = new ByteTail(tailBytes);
    this.#passed = passed;
    this.closed = new Promise((resolve) => {
      source.once("close", resolve);
    });
    // A broken pipe between two processes is an end like any other.
    source.on("error", () => undefined);
    source.on("data", (chunk: Buffer) => {
      this.#pass(chunk);
    });
    target.on("drain", this.#resume).on("close", this.#resume);
  }

  get end(): OutputEnd {
    return { bytes: this.#tail.bytes(), isCut: this.#tail.isCut };
  }

  /**
   * No longer waits for the reader. Called when the command has ended: then what is left fits into the
   * buffer of a pipe, and its last line can be the result.
   */
  hurry(): void {
    this.#mayWait = false;
    this.#resume();
  }

  /** Does not wait for processes that still have the output open. */
  abandon(): void {
    this.#target.off("drain", this.#resume).off("close", this.#resume);
    this.#source.destroy();
  }

  #pass(chunk: Buffer): void {
    this.#tail.add(chunk);
    // The reader can be gone. The command goes on, and its result counts.
    if (!this.#target.writable) return;
    this.#passed(this.#target, chunk);
    if (!this.#target.write(chunk) && this.#mayWait) this.#source.pause();
  }

  readonly #resume = (): void => {
    this.#source.resume();
  };
}
