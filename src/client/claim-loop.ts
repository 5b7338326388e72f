/** The claims of a session as a loop, for callers who do not want a worker. */
import type { Claim } from "./claim.ts";
import { type ClaimOptions, DEFAULT_STOP_MS, type StopOptions } from "./claim-options.ts";
import { ClaimSource, type WorkContext } from "./claim-source.ts";
import { TaskError } from "./task-error.ts";

/** Ends a worker or a loop. */
export type Stop = (options?: StopOptions) => Promise<void>;

/**
 * Yields one claim after the other, and ends the session when the loop ends.
 *
 * @param stops contains a function that ends the loop, while the loop runs
 * @throws TaskError
 */
export async function* loopOverClaims(
  options: ClaimOptions,
  context: WorkContext,
  stops: Set<Stop>,
): AsyncGenerator<Claim, void, undefined> {
  const end = new AbortController();
  let replacement: TaskError | null = null;
  const replaced = (error: TaskError): void => {
    replacement = error;
    end.abort(error);
  };
  const source = new ClaimSource(options, { ...context, replaced });
  const stop: Stop = ({ deadlineMs = DEFAULT_STOP_MS } = {}) => {
    end.abort(new TaskError("not_available", "the coordinator was stopped"));
    return source.stopAfter(deadlineMs);
  };
  stops.add(stop);
  try {
    await source.start(end.signal);
    while (!end.signal.aborted) {
      const claims = await source.take(1, end.signal);
      yield* claims;
      const isIdle = claims.length === 0 && source.held.length === 0;
      if (isIdle && options.stopWhenIdle === true) return;
    }
  } catch (error) {
    if (!end.signal.aborted) throw error;
  } finally {
    stops.delete(stop);
    await source.stop();
  }
  throwIfAny(replacement);
}

/** The compiler does not see that a callback has assigned the error. */
function throwIfAny(error: TaskError | null): void {
  if (error !== null) throw error;
}
