/** Maps a key to a set of ids, or of other items. A key without items takes no memory. */
export class SetMap<Item = string> {
  readonly #sets = new Map<string, Set<Item>>();

  add(key: string, item: Item): void {
    const set = this.#sets.get(key);
    if (set === undefined) this.#sets.set(key, new Set([item]));
    else set.add(item);
  }

  delete(key: string, item: Item): void {
    const set = this.#sets.get(key);
    if (set?.delete(item) === true && set.size === 0) this.#sets.delete(key);
  }

  get(key: string): ReadonlySet<Item> {
    return this.#sets.get(key) ?? EMPTY;
  }
}

const EMPTY: ReadonlySet<never> = new Set<never>();
