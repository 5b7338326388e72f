/** How many requests each sender has, and who has most of them. Every call takes the same short time. */
export class Ranking {
  readonly #counts = new Map<string, number>();
  /** Who has so many. */
  readonly #withCount = new Map<number, Set<string>>();
  #most = 0;

  get most(): number {
    return this.#most;
  }

  of(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  /** One of those who have most; `undefined`: nobody has any. */
  first(): string | undefined {
    const [name] = this.#withCount.get(this.#most) ?? [];
    return name;
  }

  /** The names, those with most first. */
  *names(): Generator<string> {
    const counts = [...this.#withCount.keys()].sort((a, b) => b - a);
    for (const count of counts) yield* [...(this.#withCount.get(count) ?? [])];
  }

  /** Changes a count by one. */
  count(name: string, by: 1 | -1): void {
    const before = this.of(name);
    const after = before + by;
    this.#leave(name, before);
    if (after === 0) this.#counts.delete(name);
    else {
      this.#counts.set(name, after);
      const others = this.#withCount.get(after);
      if (others === undefined) this.#withCount.set(after, new Set([name]));
      else others.add(name);
    }
    if (after > this.#most || (before === this.#most && !this.#withCount.has(before))) {
      this.#most = after;
    }
  }

  #leave(name: string, count: number): void {
    const others = this.#withCount.get(count);
    others?.delete(name);
    if (others?.size === 0) this.#withCount.delete(count);
  }
}
