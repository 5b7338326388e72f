/**
 * The best entries of a set that may be too large for memory. It says which entries are the best as long as it
 * knows them: once it has dropped one, it accepts only entries that are better than the best one dropped.
 */
export class TopList<Entry extends { readonly id: string }> {
  readonly #limit: number;
  /** Negative: the first entry is better. Only for one and the same entry 0. */
  readonly #compare: (a: Entry, b: Entry) => number;
  readonly #sorted: Entry[] = [];
  readonly #byId = new Map<string, Entry>();
  #bestDropped: Entry | null = null;

  constructor(limit: number, compare: (a: Entry, b: Entry) => number) {
    this.#limit = limit;
    this.#compare = compare;
  }

  get size(): number {
    return this.#sorted.length;
  }

  /** Whether entries were dropped, so that a set that shrinks has to be read again. */
  get isPartial(): boolean {
    return this.#bestDropped !== null;
  }

  /** The best first. */
  get entries(): readonly Entry[] {
    return this.#sorted;
  }

  /** Adds the entry, in place of the one with the same id. */
  set(entry: Entry): void {
    this.delete(entry.id);
    if (this.#bestDropped !== null && this.#compare(entry, this.#bestDropped) > 0) return;
    this.#sorted.splice(this.#positionOf(entry), 0, entry);
    this.#byId.set(entry.id, entry);
    if (this.#sorted.length > this.#limit) this.#dropWorst();
  }

  delete(id: string): void {
    const entry = this.#byId.get(id);
    if (entry === undefined) return;
    this.#byId.delete(id);
    this.#sorted.splice(this.#positionOf(entry), 1);
  }

  #dropWorst(): void {
    const worst = this.#sorted.pop();
    if (worst === undefined) return;
    this.#byId.delete(worst.id);
    this.#bestDropped = worst;
  }

  /** The number of entries that are better. */
  #positionOf(entry: Entry): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#sorted[middle];
      if (other !== undefined && this.#compare(other, entry) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
