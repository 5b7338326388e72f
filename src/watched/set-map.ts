/** Maps a key to a set of ids. A key without ids takes no memory. */
export class SetMap {
  readonly #sets = new Map<string, Set<string>>();

  add(key: string, id: string): void {
    const set = this.#sets.get(key);
    if (set === undefined) this.#sets.set(key, new Set([id]));
    else set.add(id);
  }

  delete(key: string, id: string): void {
    const set = this.#sets.get(key);
    if (set?.delete(id) === true && set.size === 0) this.#sets.delete(key);
  }

  get(key: string): ReadonlySet<string> {
    return this.#sets.get(key) ?? EMPTY;
  }
}

const EMPTY: ReadonlySet<string> = new Set();
