/**
 * The claim of a call that was cancelled: the model does not know of it. It waits for the next call of the
 * session. If none comes in time, the task goes back to the pool.
 */
import type { Wanted } from "./next-task.ts";
import type { HeldClaim } from "./held-claim.ts";

const KEPT_MS = 60_000;

export class KeptClaim {
  readonly held: HeldClaim;
  readonly #timer: NodeJS.Timeout;

  /** @param gone is called if the task goes back */
  constructor(held: HeldClaim, gone: () => void) {
    this.held = held;
    this.#timer = setTimeout(() => {
      gone();
      // If the coordinator does not answer, the end of the lease frees the task.
      if (this.isValid) held.claim.release().catch(() => undefined);
    }, KEPT_MS);
    this.#timer.unref();
  }

  /** Whether it is held, and the model does not know that. */
  get isValid(): boolean {
    return !this.held.isKnown && !this.held.claim.isOver;
  }

  fits({ tags = [], prefix = "" }: Pick<Wanted, "tags" | "prefix">): boolean {
    const { task } = this.held.claim;
    const hasTags = tags.every((tag) => task.tags.includes(tag));
    return hasTags && task.task_id.startsWith(prefix);
  }

  /** It no longer goes back by itself. */
  stop(): void {
    clearTimeout(this.#timer);
  }
}
