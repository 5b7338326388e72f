/** Claims the best ready tasks, and waits for one, once: a repeated request gets the same claims. */
import type { Reply } from "../protocol/operations.ts";
import type { CallOptions } from "./call-options.ts";
import type { Calls, RequestContext } from "./calls.ts";
import type { Body, Connected } from "./connection-field.ts";

/** @throws TaskError; the signal's reason */
export async function nextClaims(
  calls: Calls,
  input: Connected<"tasks.next">,
  options?: CallOptions,
): Promise<Reply<"tasks.next">> {
  const waitMs = (input.wait_seconds ?? 0) * 1000;
  // If the answer is lost, a retry with the same id gets the same claims.
  const request_id = input.request_id ?? crypto.randomUUID();
  const body = ({ elapsedMs }: RequestContext): Body<"tasks.next"> => ({
    ...input,
    request_id,
    wait_seconds: Math.max(0, waitMs - elapsedMs) / 1000,
  });
  return await calls.call("tasks.next", undefined, body, options, waitMs);
}
