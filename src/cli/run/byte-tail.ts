/** The last bytes of an output of any length, in bounded memory. */
export class ByteTail {
  readonly #limit: number;
  /** Twice the limit, so that most chunks are only appended. */
  readonly #buffer: Buffer;
  #end = 0;
  #isCut = false;

  /** @param limit the most bytes to keep */
  constructor(limit: number) {
    this.#limit = limit;
    this.#buffer = Buffer.allocUnsafe(2 * limit);
  }

  add(chunk: Buffer): void {
    const last = chunk.subarray(Math.max(0, chunk.length - this.#limit));
    if (this.#end + last.length > this.#buffer.length) {
      this.#buffer.copyWithin(0, this.#end - this.#limit, this.#end);
      this.#end = this.#limit;
      this.#isCut = true;
    }
    last.copy(this.#buffer, this.#end);
    this.#end += last.length;
    if (last.length < chunk.length) this.#isCut = true;
  }

  /** Whether there was more output than the bytes that are kept. */
  get isCut(): boolean {
    return this.#isCut || this.#end > this.#limit;
  }

  bytes(): Buffer {
    return this.#buffer.subarray(Math.max(0, this.#end - this.#limit), this.#end);
  }
}
