/**
 * The entries of a bucket in memory, kept in step by a watch, with indexes over them.
 *
 * - The watch delivers what is there when it begins, then each change. When it begins again, what it no
 *   longer delivers is gone, even if it left no marker.
 * - Our own writes are taken in before the watch delivers them. Nothing that the watch has already
 *   passed is taken in again, because it may be gone since.
 * - Every change goes through `#update`, which maintains all indexes before anyone is told. So an index
 *   never contradicts the map.
 */
import { SetMap } from "./set-map.ts";
import { WatchPosition } from "./watch-position.ts";

/** The names under which an index lists the key of a value. `null`: it does not list it. */
export type IndexFunction<Value> = (value: Value) => string | readonly string[] | null;

/** An index: the keys that are listed under a name. */
export type KeyIndex = Pick<SetMap, "get">;

/**
 * Is told of each change, in order, when the map and all indexes have it. Must not throw.
 *
 * `before` is `null` for a new key, `after` for one that is gone. `entry` is what the watch delivered.
 * There is none for our own write, nor for a key that was gone when the watch began again.
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
  /** The keys found so far, while the watch delivers the state from which it begins. */
  #found: Set<string> | null = null;

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

  /** Takes in what this process has just written, or read from the leader; `false` if it is not news. */
  apply(key: string, value: Value): boolean {
    const { revision } = value;
    const known = this.#values.get(key) ?? null;
    if (revision <= this.position.revision || revision <= (known?.revision ?? 0)) return false;
    this.#found?.add(key);
    this.#update(key, known, value, undefined);
    return true;
  }

  /** Removes what this process has just written over. Changes nothing in the position of the watch. */
  remove(key: string): void {
    this.#update(key, this.#values.get(key) ?? null, null, undefined);
  }

  /** Puts another value of the same revision in place: not a change, and the same for every index. */
  amend(key: string, value: Value): void {
    this.#values.set(key, value);
  }

  /** The watch begins, or is interrupted: until `current`, all that it delivers is what is there. */
  restarted(): void {
    this.#found = new Set();
    this.position.restarted();
  }

  /** Whether an entry that the watch brings is known already. It counts as delivered then. */
  isKnown(key: string, revision: number): boolean {
    if (this.#found !== null || this.#values.get(key)?.revision !== revision) return false;
    this.position.delivered(revision);
    return true;
  }

  /** Takes in what the watch delivers; `value` is `null` if the key is gone. */
  deliver(key: string, revision: number, value: Value | null, entry?: Entry): void {
    const known = this.#values.get(key) ?? null;
    if (value !== null) this.#found?.add(key);
    // After a restart the bucket is right even with an older revision: it may come from a backup.
    const isNews = known === null || revision > known.revision || this.#found !== null;
    if (isNews) this.#update(key, known, value, entry);
    this.position.delivered(revision);
  }

  /** The watch has delivered all that was there when it began. */
  current(): void {
    const found = this.#found;
    this.#found = null;
    // A copy: what a listener adds meanwhile was not found, and is there all the same.
    for (const [key, value] of found === null ? [] : [...this.#values]) {
      if (found?.has(key) === false) this.#update(key, value, null, undefined);
    }
    this.position.current();
  }

  #update(key: string, before: Value | null, after: Value | null, entry: Entry | undefined): void {
    if (before === null && after === null) return;
    if (after === null) this.#values.delete(key);
    else this.#values.set(key, after);
    for (const { namesOf, keys } of this.#indexes) {
      const old = before === null ? null : namesOf(before);
      const now = after === null ? null : namesOf(after);
      // Most changes leave most indexes as they are.
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
