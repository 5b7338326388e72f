/** A claim that the agent holds, by the handle that the model knows, and what its holder last did. */
import type { Claim } from "../client/claim.ts";
import { handleOf, shortText } from "./task-view.ts";

/** A note must fit into the lease. */
const MAX_NOTE = 500;

export class HeldClaim {
  readonly claim: Claim;
  readonly session: string;
  /** Such as `P0.1.2#3`. */
  readonly handle: string;
  /** Whether the model knows the claim. It does not if the call that made it was cancelled. */
  isKnown = false;
  #note: string | undefined;

  constructor(claim: Claim, session: string) {
    this.claim = claim;
    this.session = session;
    this.handle = handleOf(claim.task.task_id, claim.attempt);
  }

  /** The report that others see: the last note, the last tool, and when that was. */
  progress(tool: string, note?: string): object {
    if (note !== undefined) this.#note = shortText(note, MAX_NOTE);
    const at = new Date().toISOString();
    return { ...(this.#note === undefined ? {} : { note: this.#note }), tool, at };
  }
}
