/**
 * The entries of a bucket in memory, with indexes. A watch keeps them up to date.
 *
 * - The watch delivers the state of the bucket, then each change. When the watch begins again, every entry
 *   that it no longer delivers is gone, even if there is no marker.
 * - Our own writes are taken in before the watch delivers them. An own write that the watch has already
 *   passed is ignored, because a later write may have replaced or removed it.
 * - Every change goes through `#update`, which maintains all indexes before it calls the listeners. So an
 *   index never contradicts the map.
 */
import { SetMap } from "./set-map.ts";
import { WatchPosition } from "./watch-position.ts";

/** The names under which an index lists an entry. `null`: the index does not list it. */
export type IndexFunction<Value> = (value: Value) => string | readonly string[] | null;

/** An index: gives the keys that are listed under a name. */
export type KeyIndex = Pick<SetMap, "get">;

/**
 * Called for each change, in order, after the map and all indexes have it. Must not throw.
 *
 * `before` is `null` for a new key, `after` for a removed one. `entry` is what the watch delivered. It is
 * missing for our own write, and for a key that was gone when the watch began again.
 */
export type ChangeListener<Value, Entry> = (
  key: string,
  before: Value | null,
  after: Value | null,
  entry: Entry | undefined,
) => void;

export class WatchedMap<
  Value extends { readonly revision: number },
  Index extends string = never,
  Entry = never,
> {
  readonly position = new WatchPosition();
  readonly #values = new Map<string, Value>();
  readonly #indexes: readonly {
    readonly name: string;
    readonly namesOf: IndexFunction<Value>;
    readonly keys: SetMap;
  }[];
  readonly #listeners: ChangeListener<Value, Entry>[] = [];
  /** While the watch delivers the state with which it begins: the known keys that it has not delivered. */
  #missing: Set<string> | null = null;

  constructor(indexes: Readonly<Record<Index, IndexFunction<Value>>>) {
    this.#indexes = Object.entries<IndexFunction<Value>>(indexes).map(([name, namesOf]) => ({
      name,
      namesOf,
      keys: new SetMap(),
    }));
  }

  get size(): number {
    return this.#values.size;
  }

  get(key: string): Value | undefined {
    return this.#values.get(key);
  }

  values(): Iterable<Value> {
    return this.#values.values();
  }

  index(name: Index): KeyIndex {
    const index = this.#indexes.find((each) => each.name === name);
    if (index === undefined) throw new Error(`there is no index "${name}"`);
    return index.keys;
  }

  onChange(listener: ChangeListener<Value, Entry>): void {
    this.#listeners.push(listener);
  }

  /** Takes in a value that this process has just written, or read from the leader. `false`: it is too old. */
  apply(key: string, value: Value): boolean {
    const { revision } = value;
    const known = this.#values.get(key) ?? null;
    if (revision <= this.position.revision || revision <= (known?.revision ?? 0)) return false;
    this.#missing?.delete(key);
    this.#update(key, known, value, undefined);
    return true;
  }

  /** Removes an entry, for a reason other than the watch or besides it. The position stays as it is. */
  remove(key: string): void {
    this.#update(key, this.#values.get(key) ?? null, null, undefined);
  }

  /** Replaces a value by another of the same revision. No index may depend on the difference. */
  amend(key: string, value: Value): void {
    this.#values.set(key, value);
  }

  /** The watch begins or is interrupted. Until `current`, it delivers the state of the bucket. */
  restarted(): void {
    this.#missing = new Set(this.#values.keys());
    this.position.restarted();
  }

  /** Whether the entry that the watch has now is known already. Then it counts as delivered. */
  isKnown(key: string, revision: number): boolean {
    if (this.#missing !== null || this.#values.get(key)?.revision !== revision) return false;
    this.position.delivered(revision);
    return true;
  }

  /** Takes in what the watch delivers. `value` is `null` if the key was removed. */
  deliver(key: string, revision: number, value: Value | null, entry?: Entry): void {
    const known = this.#values.get(key) ?? null;
    if (value !== null) this.#missing?.delete(key);
    // When the watch begins again, the bucket is right even with an older revision: it may have been
    // restored from a backup.
    const isNews = known === null || revision > known.revision || this.#missing !== null;
    if (isNews) this.#update(key, known, value, entry);
    this.position.delivered(revision);
  }

  /** The watch has delivered the state with which it began. */
  current(): void {
    const missing = this.#missing ?? [];
    this.#missing = null;
    for (const key of missing) this.remove(key);
    this.position.current();
  }

  #update(key: string, before: Value | null, after: Value | null, entry: Entry | undefined): void {
    if (before === null && after === null) return;
    if (after === null) this.#values.delete(key);
    else this.#values.set(key, after);
    for (const { namesOf, keys } of this.#indexes) {
      const old = before === null ? null : namesOf(before);
      const now = after === null ? null : namesOf(after);
      // Most changes do not affect most indexes.
      if (old === now) continue;
      for (const name of namesIn(old)) keys.delete(name, key);
      for (const name of namesIn(now)) keys.add(name, key);
    }
    for (const listener of this.#listeners) listener(key, before, after, entry);
  }
}

const NO_NAMES: readonly string[] = [];

function namesIn(names: ReturnType<IndexFunction<unknown>>): readonly string[] {
  return names === null ? NO_NAMES : typeof names === "string" ? [names] : names;
}
