/**
 * How many claims fit into the reply of one `next`. It is judged before they are made: a claim that
 * cannot be told of would only be given back.
 */
import { encodeTask } from "../protocol/task-record.ts";
import type { Task } from "../task/task.ts";
import type { Claimed } from "./claims.ts";
import type { NextRequest } from "./ready-claims.ts";
import { jsonBytes, roomIn } from "./reply-page.ts";

/** What a claim adds to a record and says beside it, without the names that the request gives. */
const CLAIM_BYTES = 1_024;

export class ClaimRoom {
  readonly #extraBytes: number;
  #left: number;

  /** `already`: what the reply has to hold in any case. */
  constructor(
    maxReplyBytes: number,
    { sessionId, claimRequest }: NextRequest,
    already: readonly Claimed[],
  ) {
    // The holder is in the record, and twice in its event.
    this.#extraBytes = CLAIM_BYTES + 3 * jsonBytes(sessionId) + jsonBytes(claimRequest);
    this.#left = already.reduce((left, claim) => left - jsonBytes(claim), roomIn(maxReplyBytes));
  }

  /** Whether the claim of the task fits; its room is taken then. */
  take(task: Task): boolean {
    const size = jsonBytes(encodeTask(task)) + this.#extraBytes;
    if (size > this.#left) return false;
    this.#left -= size;
    return true;
  }
}
