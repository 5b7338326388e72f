/** Where the objects and arrays of a parsed text stand in it. */

/** Below this depth, the place of the object around is used. It is enough for subtasks in Task Master. */
const MAX_DEPTH = 7;

interface Place {
  readonly offset: number;
  /** Of each field by its name, or of each element by its position. */
  readonly inside: ReadonlyMap<string | number, number>;
}

export class Places {
  readonly #places = new WeakMap<object, Place>();

  static isRecorded(depth: number): boolean {
    return depth <= MAX_DEPTH;
  }

  record(value: object, offset: number, inside: ReadonlyMap<string | number, number>): void {
    this.#places.set(value, { offset, inside });
  }

  /** The offset of an object or array, or of one of its parts. 0 if it is not known. */
  of(value: object, part?: string | number): number {
    const place = this.#places.get(value);
    if (place === undefined) return 0;
    return part === undefined ? place.offset : (place.inside.get(part) ?? place.offset);
  }
}
