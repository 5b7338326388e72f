/**
 * A release that also asks for the next tasks. A coordinator that does not know `next` yet gets two
 * requests instead of one.
 */
import type { Reply } from "../protocol/operations.ts";
import { requestAfter } from "../protocol/request-after.ts";
import type { CallOptions } from "./call-options.ts";
import type { Calls, RequestContext } from "./calls.ts";
import type { Body, Connected } from "./connection-field.ts";
import { nextClaims } from "./next-claims.ts";
import { hasCode, TaskError } from "./task-error.ts";

type Released = Reply<"tasks.release">;
type Next = NonNullable<Connected<"tasks.release">["next"]>;
type ReleaseWithNext = Connected<"tasks.release"> & { readonly next: Next };

/** After this time an old coordinator may have been replaced, and is asked again. */
const FORGET_AFTER_MS = 600_000;

export class ReleaseNext {
  readonly #calls: Calls;
  #isUnknownUntil = -Infinity;

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  /** @throws TaskError if the release is refused; the signal's reason */
  async release(
    taskId: string,
    input: Connected<"tasks.release">,
    options?: CallOptions,
  ): Promise<Released> {
    const { next, ...release } = input;
    if (next === undefined) {
      return await this.#calls.call("tasks.release", taskId, () => release, options);
    }
    if (performance.now() >= this.#isUnknownUntil) {
      try {
        const released = await this.#inOne(taskId, { ...release, next }, options);
        // The claims may have been made all the same. Only a request with this name finds them.
        if (released.next?.error?.retryable !== true) return released;
        return { ...released, next: await this.#after(taskId, { ...release, next }, options) };
      } catch (error) {
        if (!hasCode(error, "invalid_request") || error.details.field !== "next") throw error;
        this.#isUnknownUntil = performance.now() + FORGET_AFTER_MS;
      }
    }
    const released = await this.#calls.call("tasks.release", taskId, () => release, options);
    return { ...released, next: await this.#after(taskId, { ...release, next }, options) };
  }

  #inOne(taskId: string, input: ReleaseWithNext, options?: CallOptions): Promise<Released> {
    const { next } = input;
    const waitMs = (next.wait_seconds ?? 0) * 1000;
    const body = ({ elapsedMs }: RequestContext): Body<"tasks.release"> => ({
      ...input,
      next: { ...next, wait_seconds: Math.max(0, waitMs - elapsedMs) / 1000 },
    });
    return this.#calls.call("tasks.release", taskId, body, options, waitMs);
  }

  /** The second of two requests. It finds what a newer worker has claimed for the first. */
  async #after(
    taskId: string,
    { session_id, instance, attempt = 0, status, next }: ReleaseWithNext,
    options?: CallOptions,
  ): Promise<NonNullable<Released["next"]>> {
    const input = {
      session_id,
      ...(instance === undefined ? {} : { instance }),
      ...next,
      request_id: requestAfter(taskId, { attempt, status }),
    };
    try {
      const { claims, reasons, next_due_at } = await nextClaims(this.#calls, input, options);
      return { claims, reasons, next_due_at };
    } catch (error) {
      if (!(error instanceof TaskError)) throw error;
      const { code, message, retryable } = error;
      return { claims: [], reasons: {}, next_due_at: null, error: { code, message, retryable } };
    }
  }
}
