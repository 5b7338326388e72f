/**
 * A sorted collection in chunks of limited size. Insertion, removal and iteration from the front stay
 * cheap with a million elements, all of which a plain array would have to move.
 */

const MAX_CHUNK = 512;

/** Elements are compared by their part `Key`. */
export class SortedList<T extends Key, Key = T> implements Iterable<T> {
  readonly #compare: (a: Key, b: Key) => number;
  /** No chunk is empty. Each chunk is sorted, and its last element comes before the first of the next chunk. */
  #chunks: T[][] = [];
  #size = 0;

  /** `compare` must be a total order. 0 means that both are the same element. */
  constructor(compare: (a: Key, b: Key) => number) {
    this.#compare = compare;
  }

  get size(): number {
    return this.#size;
  }

  first(): T | undefined {
    return this.#chunks[0]?.[0];
  }

  last(): T | undefined {
    return this.#chunks.at(-1)?.at(-1);
  }

  /** How many elements are not before `from`, and before `to`. */
  countBetween(from: Key, to: Key): number {
    const first = this.#chunkFor(from);
    const end = this.#chunkFor(to);
    let count = this.#positionIn(this.#chunks[end] ?? [], to);
    for (let c = first; c < end; c++) count += this.#chunks[c]?.length ?? 0;
    return Math.max(0, count - this.#positionIn(this.#chunks[first] ?? [], from));
  }

  /** Adds the element, or replaces the element that is equal to it. */
  set(element: T): void {
    const c = this.#isLast(element) ? this.#chunks.length : this.#chunkFor(element);
    const chunk = this.#chunks[c];
    if (chunk === undefined) {
      this.#append(element);
      return;
    }
    const i = this.#positionIn(chunk, element);
    const there = chunk[i];
    if (there !== undefined && this.#compare(there, element) === 0) {
      chunk[i] = element;
      return;
    }
    chunk.splice(i, 0, element);
    this.#size++;
    if (chunk.length > MAX_CHUNK) {
      this.#chunks.splice(c + 1, 0, chunk.splice(chunk.length >> 1));
    }
  }

  /** Removes the element, and returns whether it was there. */
  delete(element: Key): boolean {
    const c = this.#chunkFor(element);
    const chunk = this.#chunks[c];
    if (chunk === undefined) return false;
    const i = this.#positionIn(chunk, element);
    const there = chunk[i];
    if (there === undefined || this.#compare(there, element) !== 0) return false;
    chunk.splice(i, 1);
    this.#size--;
    if (chunk.length === 0) this.#chunks.splice(c, 1);
    return true;
  }

  /** All elements in order. The list must not change during the iteration. */
  *[Symbol.iterator](): Iterator<T> {
    for (const chunk of this.#chunks) yield* chunk;
  }

  /** In order, from `element` on or, if it is not there, from the element that would follow it. */
  *from(element: Key): Generator<T, void> {
    const start = this.#chunkFor(element);
    for (let c = start; c < this.#chunks.length; c++) {
      const chunk = this.#chunks[c] ?? [];
      yield* c === start ? chunk.slice(this.#positionIn(chunk, element)) : chunk;
    }
  }

  /** Whether the element comes after all others, as most do. */
  #isLast(element: T): boolean {
    const last = this.last();
    return last === undefined || this.#compare(last, element) < 0;
  }

  /** A full chunk stays full. If it were split in the middle, all would stay half full. */
  #append(element: T): void {
    const chunk = this.#chunks.at(-1);
    if (chunk === undefined || chunk.length === MAX_CHUNK) this.#chunks.push([element]);
    else chunk.push(element);
    this.#size++;
  }

  /** Index of the first chunk whose last element is not before `element`. */
  #chunkFor(element: Key): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const last = this.#chunks[middle]?.at(-1);
      if (last !== undefined && this.#compare(last, element) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #positionIn(chunk: readonly T[], element: Key): number {
    let low = 0;
    let high = chunk.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const at = chunk[middle];
      if (at !== undefined && this.#compare(at, element) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
