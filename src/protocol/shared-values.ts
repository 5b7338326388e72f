/** Gives equal texts the same value, so that the values of a million records are in memory once. */

/** With more texts than this, all are forgotten. This costs memory, and changes nothing else. */
const MAX_VALUES = 10_000;

export class SharedValues<T> {
  readonly #make: (text: string) => T;
  readonly #values = new Map<string, T>();

  constructor(make: (text: string) => T) {
    this.#make = make;
  }

  get(text: string): T {
    const known = this.#values.get(text);
    if (known !== undefined) return known;
    const value = this.#make(text);
    if (this.#values.size === MAX_VALUES) this.#values.clear();
    this.#values.set(copyOf(text), value);
    return value;
  }
}

/** Principals and other authors of records: few of them cause most transitions. */
export function sharedAuthor(author: string): string {
  return authors.get(author);
}

/** The text without the longer one that it was cut from, which V8 would keep in memory. */
export function copyOf(text: string): string {
  return Buffer.from(text).toString();
}

const authors = new SharedValues(copyOf);
