/** A sum for each name. A name whose sum is 0 takes no memory. */
export class Counts {
  readonly #counts = new Map<string, number>();

  of(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  /** Returns the new sum. */
  add(name: string, by: number): number {
    const sum = this.of(name) + by;
    if (sum === 0) this.#counts.delete(name);
    else this.#counts.set(name, sum);
    return sum;
  }
}
