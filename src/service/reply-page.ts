/**
 * How much fits into one reply: a page ends before NATS would refuse to carry it, however large the
 * records are. Sizes are those of the JSON that is sent.
 */
import { CoordinatorError } from "../protocol/errors.ts";
import { bytesOfItem, maxJsonBytes } from "../protocol/encoded-json.ts";
import { encodeTask } from "../protocol/task-record.ts";
import type { CompactTask } from "../protocol/compact-task.ts";
import { claimRequestOf, type NextRequest } from "./next-request.ts";

/** The most of a page, even if NATS could carry more: encoding it must not take long. */
export const MAX_PAGE_BYTES = 1024 * 1024;

/** The fields of a reply next to its list: a cursor with an id, revisions, the bucket's id. */
const REST_BYTES = 1_024;

/** The most that a record grows when its content is hidden: `"redacted":true`, and `null` in place of a digit. */
const MARK_BYTES = 32;

/** The most that a claim adds to a record and to its place in the reply, without names from the request. */
const CLAIM_BYTES = 1_024;

export class ReplyPage<T> {
  readonly items: T[] = [];
  readonly #limit: number;
  #room: number;

  /** `maxReplyBytes`: the most that NATS carries in one message. */
  constructor(maxReplyBytes: number) {
    this.#limit = roomIn(maxReplyBytes);
    this.#room = roomIn(Math.min(maxReplyBytes, MAX_PAGE_BYTES));
  }

  /** Takes the item if there is room for it. The first item may take all that NATS carries. */
  add(item: T): boolean {
    const size = jsonBytes(item);
    if (size > (this.items.length === 0 ? this.#limit : this.#room)) return false;
    this.#room -= size + MARK_BYTES;
    this.items.push(item);
    return true;
  }

  /**
   * The error for a first item that does not fit. `next`: the request fields with which the client goes
   * on after the item; they are details of the error, too.
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

/**
 * How many claims fit into the reply of one `next`. This is measured before the claims are made, because
 * a claim that does not fit would have to be given back.
 */
export class ClaimRoom {
  readonly #extraBytes: number;
  #left: number;

  /** `already`: claims that are in the reply in any case. */
  constructor(maxReplyBytes: number, request: NextRequest, already: readonly object[]) {
    // The holder is in the record, and twice in its event.
    this.#extraBytes =
      CLAIM_BYTES + 3 * jsonBytes(request.sessionId) + jsonBytes(claimRequestOf(request));
    const { besides } = request;
    const room = roomIn(maxReplyBytes) - (besides === undefined ? 0 : jsonBytes(besides));
    this.#left = already.reduce((left, claim) => left - jsonBytes(claim), room);
  }

  /** Whether all of the tasks fit in any case. It does not encode them, as `take` must. */
  certainlyHolds(tasks: readonly CompactTask[]): boolean {
    let left = this.#left;
    return tasks.every((task) => {
      const size = task.isWhole ? maxJsonBytes(task.task) : task.bytes;
      return (left -= size + this.#extraBytes) >= 0;
    });
  }

  /** Whether a claim of the task fits. If it does, its room is reserved. */
  take(known: CompactTask): boolean {
    const record = known.isWhole ? jsonBytes(encodeTask(known.task)) : known.bytes;
    const size = record + this.#extraBytes;
    if (size > this.#left) return false;
    this.#left -= size;
    return true;
  }
}

/** The bytes for the items of a list, in a reply of so many bytes. */
function roomIn(maxReplyBytes: number): number {
  return Math.max(0, maxReplyBytes - REST_BYTES);
}

/** The bytes of the value and of the comma that follows it in a list. */
function jsonBytes(value: unknown): number {
  return bytesOfItem(value) + 1;
}
