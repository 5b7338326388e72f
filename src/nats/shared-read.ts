/**
 * One read for all who ask at the same time. A read that is under way may be too old for those who ask now, so
 * they share the next one.
 */
export class SharedRead<T> {
  readonly #read: () => Promise<T>;
  #current: Promise<T> | null = null;
  #next: Promise<T> | null = null;

  constructor(read: () => Promise<T>) {
    this.#read = read;
  }

  /** The result of a read that begins after this call. */
  next(): Promise<T> {
    if (this.#current === null) return this.#begin();
    this.#next ??= this.#current.then(
      () => this.#begin(),
      () => this.#begin(),
    );
    return this.#next;
  }

  #begin(): Promise<T> {
    this.#next = null;
    const current = this.#read();
    const ended = (): void => {
      if (this.#current === current) this.#current = null;
    };
    this.#current = current;
    current.then(ended, ended);
    return current;
  }
}
