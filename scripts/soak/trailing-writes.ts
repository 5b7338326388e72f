/** How many messages were written to a stream in the time that ends now, as its last sequence tells. */
export class TrailingWrites {
  readonly #seconds: number;
  readonly #seen: { readonly at: number; readonly sequence: number }[] = [];

  constructor(seconds: number) {
    this.#seconds = seconds;
  }

  /** `null` before it has been told of for that long. */
  add(at: number, sequence: number): number | null {
    this.#seen.push({ at, sequence });
    // The last one that is old enough stays: from there it counts.
    while ((this.#seen[1]?.at ?? Infinity) <= at - this.#seconds) this.#seen.shift();
    const [oldest] = this.#seen;
    if (oldest === undefined || oldest.at > at - this.#seconds) return null;
    return sequence - oldest.sequence;
  }
}
