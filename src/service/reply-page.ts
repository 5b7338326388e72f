/**
 * What fits into one reply: pages end before NATS would refuse to carry them, however large the
 * records are. Measured by the JSON that is sent.
 */
import { CoordinatorError } from "../protocol/errors.ts";

/** The fields of a reply beside its list: a cursor with an id, revisions, the bucket's id. */
const REST_BYTES = 1_024;

export class ReplyPage<T> {
  readonly items: T[] = [];
  readonly #limit: number;
  #room: number;

  /** `maxReplyBytes`: what NATS carries. */
  constructor(maxReplyBytes: number) {
    this.#limit = roomIn(maxReplyBytes);
    this.#room = this.#limit;
  }

  /** Takes the item if there is room for it. */
  add(item: T): boolean {
    const size = jsonBytes(item);
    if (size > this.#room) return false;
    this.#room -= size;
    this.items.push(item);
    return true;
  }

  /**
   * What to answer when not even the first item has room. `next` says where the client goes on without
   * it, also as fields of the error.
   */
  tooLarge(what: string, item: T, next: Readonly<Record<string, unknown>>): CoordinatorError {
    const size = jsonBytes(item);
    const goOn = Object.entries(next).map(([name, value]) => `${name} ${String(value)}`);
    return new CoordinatorError(
      "too_large",
      `${what} has ${size} bytes and no reply can carry more than ${this.#limit}: read it from the ` +
        `bucket, and go on after it with ${goOn.join(", ")}`,
      { details: { ...next, size, limit: this.#limit } },
    );
  }
}

/** For the items of a list, in a reply of so many bytes. */
export function roomIn(maxReplyBytes: number): number {
  return Math.max(0, maxReplyBytes - REST_BYTES);
}

/** With the comma that follows it in a list. */
export function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value)) + 1;
}
