/** A queue of updates that wait for a subscriber's callback, and says when it is full. */

const MAX_ENTRIES = 1_000;
const MAX_BYTES = 4 * 1024 * 1024;

export class UpdateQueue<T> {
  #entries: { readonly value: T; readonly bytes: number }[] = [];
  #first = 0;
  #bytes = 0;

  get size(): number {
    return this.#entries.length - this.#first;
  }

  /** Whether further entries should be kept elsewhere. */
  get isFull(): boolean {
    return this.size >= MAX_ENTRIES || this.#bytes >= MAX_BYTES;
  }

  push(value: T, bytes: number): void {
    this.#entries.push({ value, bytes });
    this.#bytes += bytes;
  }

  shift(): T | undefined {
    const entry = this.#entries[this.#first];
    if (entry === undefined) return undefined;
    this.#first++;
    this.#bytes -= entry.bytes;
    // Removed in large pieces, so that one `shift` is cheap.
    if (this.#first === this.#entries.length || this.#first >= MAX_ENTRIES) {
      this.#entries = this.#entries.slice(this.#first);
      this.#first = 0;
    }
    return entry.value;
  }

  clear(): void {
    this.#entries = [];
    this.#first = 0;
    this.#bytes = 0;
  }
}
