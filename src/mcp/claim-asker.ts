/**
 * Asks for the claims of a session. A call can be cancelled while its claim is made: such a claim is kept for
 * the next call, which gets it at once, or gives the task back after a minute.
 */
import type { Claimed } from "../client/claim-requests.ts";
import type { Logger } from "../client/logger.ts";
import type { TaskClient } from "../client/task-client.ts";
import { hasCode } from "../client/task-error.ts";
import { pause } from "../client/waiting.ts";
import type { Reply } from "../protocol/operations.ts";
import type { HeldClaim } from "./held-claim.ts";
import { KeptClaim } from "./kept-claim.ts";
import { waitForTask, type Wanted } from "./next-task.ts";

export interface AskerContext {
  readonly tasks: TaskClient;
  readonly logger: Logger;
  /** The fields of each request of the session. */
  readonly claimer: Wanted;
  /** Aborted when the session ends: a request that still waits could get what it gives back. */
  readonly stopped: AbortSignal;
  readonly heldFor: (taskId: string) => HeldClaim | undefined;
  readonly hold: (claimed: Claimed) => HeldClaim;
}

/** After this, a worker whose answer nobody received has given the task back. */
const SETTLED_MS = 1_000;
const MAX_STRAYS = 100;
/** After these there is no claim. */
const REFUSALS = [
  ...(["already_claimed", "not_available", "missing_capabilities", "not_found"] as const),
  ...(["invalid_request", "forbidden", "session_replaced"] as const),
] as const;
/** The reason to end a request that waits. */
const KEPT = new Error("a claim is kept for this call");

export class ClaimAsker {
  readonly #context: AskerContext;
  readonly #kept = new Set<KeptClaim>();
  /** What the requests that are under way may have claimed: their ids, and the tasks that they name. */
  readonly #asked = new Set<string>();
  /** Tell the calls that wait about a kept claim. */
  readonly #wakeUps = new Set<() => void>();
  #strays: Promise<void> | undefined;

  constructor(context: AskerContext) {
    this.#context = context;
  }

  /** Waits for a task. @throws TaskError; the signal's reason */
  async next(
    wanted: Pick<Wanted, "tags" | "prefix">,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<HeldClaim | Reply<"tasks.next">> {
    const until = performance.now() + waitMs;
    for (;;) {
      const kept = this.#takeKept((one) => one.fits(wanted));
      if (kept !== undefined) return kept;
      await this.#strays;
      try {
        return (
          this.#takeKept((one) => one.fits(wanted)) ?? (await this.#wait(wanted, until, signal))
        );
      } catch (error) {
        if (error !== KEPT) throw error;
      }
    }
  }

  /** Claims one task. @throws TaskError; the signal's reason */
  async claim(taskId: string, signal: AbortSignal): Promise<HeldClaim> {
    await this.#strays;
    const kept = this.#takeKept(({ held }) => held.claim.task.task_id === taskId);
    if (kept !== undefined) return kept;
    const held = this.#context.heldFor(taskId);
    if (held?.claim.isOver === false) return held;
    return await this.#ask(taskId, () => this.#claim(taskId, signal));
  }

  /** The call that has claimed it was cancelled: the next one gets it, or it goes back to the pool. */
  keep(held: HeldClaim): void {
    const kept = new KeptClaim(held, () => {
      this.#kept.delete(kept);
    });
    this.#kept.add(kept);
    for (const wakeUp of [...this.#wakeUps]) wakeUp();
  }

  stop(): void {
    for (const kept of this.#kept) kept.stop();
  }

  #takeKept(fits: (kept: KeptClaim) => boolean): HeldClaim | undefined {
    const kept = [...this.#kept].find((one) => one.isValid && fits(one));
    if (kept === undefined) return undefined;
    kept.stop();
    this.#kept.delete(kept);
    return kept.held;
  }

  async #wait(
    wanted: Pick<Wanted, "tags" | "prefix">,
    until: number,
    signal: AbortSignal,
  ): Promise<HeldClaim | Reply<"tasks.next">> {
    const { tasks, claimer, stopped, hold } = this.#context;
    const request_id = crypto.randomUUID();
    const woken = new AbortController();
    const wakeUp = (): void => {
      woken.abort(KEPT);
    };
    this.#wakeUps.add(wakeUp);
    try {
      return await this.#ask(request_id, async () => {
        const ends = AbortSignal.any([signal, stopped, woken.signal]);
        const reply = await waitForTask(tasks, { ...claimer, ...wanted, request_id }, until, ends);
        const [claimed] = reply.claims;
        return claimed === undefined ? reply : hold(claimed);
      });
    } finally {
      this.#wakeUps.delete(wakeUp);
    }
  }

  async #claim(taskId: string, signal: AbortSignal): Promise<HeldClaim> {
    const { tasks, claimer, hold } = this.#context;
    const input = { ...claimer, release_on_disconnect: true };
    return hold(await tasks.claim(taskId, input, { signal }));
  }

  /** If the request fails, its answer may have been lost, and with it a claim. */
  async #ask<T>(id: string, request: () => Promise<T>): Promise<T> {
    this.#asked.add(id);
    try {
      return await request();
    } catch (error) {
      if (!hasCode(error, ...REFUSALS) && !this.#context.stopped.aborted) {
        this.#strays = this.#findStrays();
      }
      throw error;
    } finally {
      this.#asked.delete(id);
    }
  }

  /**
   * A claim whose answer was lost would last as long as its lease, and nobody would work on it. The next call
   * waits for this. Never rejects.
   */
  async #findStrays(): Promise<void> {
    const { tasks, logger, claimer, stopped, heldFor } = this.#context;
    try {
      await pause(SETTLED_MS, stopped);
      const page = await tasks.list({ claimed_by: claimer.session_id, limit: MAX_STRAYS });
      for (const { task_id: id, claim_request: request = "" } of page.tasks) {
        const isExpected = this.#asked.has(request) || this.#asked.has(id);
        if (!isExpected && heldFor(id) === undefined) this.keep(await this.#claim(id, stopped));
      }
    } catch (error) {
      logger.debug(`the claims of ${claimer.session_id} were not compared: ${String(error)}`);
    }
  }
}
