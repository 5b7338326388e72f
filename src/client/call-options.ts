/** The options of one call. */
import { duration, objectOf, optionSchema } from "./check-options.ts";

/** How long one call may take. */
export interface CallOptions {
  /**
   * How long to wait for the answer to one request, in milliseconds. Default 5,000. `next` adds its
   * `wait_seconds`.
   */
  readonly timeoutMs?: number | undefined;
  /**
   * How long to retry if there is no answer, or a retryable error, in milliseconds. 0: no retry. Default
   * 15,000, but 3,000 while no coordinator runs at all. `next` adds its `wait_seconds`.
   */
  readonly deadlineMs?: number | undefined;
  /** When it is aborted, the call ends, and its promise rejects with the reason. */
  readonly signal?: AbortSignal | undefined;
}

export const CALL_OPTIONS = optionSchema<CallOptions>({
  timeoutMs: duration,
  deadlineMs: duration,
  signal: objectOf<AbortSignal>(),
});
