/**
 * Tells the coordinator how a command has ended. The claim must end even if what the command wrote cannot be
 * stored.
 */
import type { Claim } from "../../client/claim.ts";
import type { FailOptions } from "../../client/release-options.ts";
import type { CommandFailure, Ending } from "./outcome.ts";
import type { Outcome } from "./run-report.ts";

export interface Ended {
  readonly outcome: Exclude<Outcome, "lost">;
  readonly reason: string | null;
  /** What is stored. */
  readonly result: unknown;
  /** Whether it has failed, and is not tried again. */
  readonly isFinal: boolean;
}

export interface EndOptions {
  /** If the result cannot be stored, the task is complete without it. */
  readonly isResultOptional: boolean;
  /** A task that is cancelled is not tried again, whether its command failed or gave it back. */
  readonly isCancelled: boolean;
  /** Whether the session wants another task after this one. */
  readonly next: boolean;
}

/** @throws TaskError if the claim is over, or the coordinator does not answer */
export async function endClaim(claim: Claim, ending: Ending, options: EndOptions): Promise<Ended> {
  switch (ending.kind) {
    case "complete":
      return complete(claim, ending.result, options);
    case "fail":
      return fail(claim, ending.error, ending.retry, options);
    case "give_back":
      return giveBack(claim, ending.cause, ending.delaySeconds, options);
  }
}

async function complete(claim: Claim, result: unknown, options: EndOptions): Promise<Ended> {
  try {
    await claim.complete(result, { next: options.next });
    return { outcome: "completed", reason: null, result, isFinal: false };
  } catch (error) {
    if (claim.isOver || !(error instanceof Error)) throw error;
    // Another attempt would end in the same way.
    if (!options.isResultOptional) return fail(claim, { message: error.message }, false, options);
    await claim.complete(null, { next: options.next });
    const reason = `its last line of output was not stored (${error.message})`;
    return { outcome: "completed", reason, result: null, isFinal: false };
  }
}

async function fail(
  claim: Claim,
  error: CommandFailure,
  retry: boolean,
  { isCancelled, next: takesNext }: EndOptions,
): Promise<Ended> {
  const { failures, max_failures: maxFailures } = claim.task;
  await failWith(claim, [error, withoutOutput(error), null], { retry, next: takesNext });
  if (isCancelled) return { ...CANCELLED, reason: error.message };
  const isFinal = !retry || failures + 1 >= maxFailures;
  const next = isFinal ? "it is not tried again" : "it is tried again";
  return { outcome: "failed", reason: `${error.message}; ${next}`, result: null, isFinal };
}

/** The first of the errors for which the record has room. */
async function failWith(
  claim: Claim,
  [error, ...smaller]: readonly (CommandFailure | null)[],
  options: FailOptions,
): Promise<void> {
  try {
    await claim.fail(error ?? null, options);
  } catch (refusal) {
    if (claim.isOver || smaller.length === 0) throw refusal;
    await failWith(claim, smaller, options);
  }
}

/** The record may have no room for the output. */
function withoutOutput({ message, exit_code: code, signal }: CommandFailure): CommandFailure {
  return {
    message,
    ...(code === undefined ? {} : { exit_code: code }),
    ...(signal === undefined ? {} : { signal }),
  };
}

async function giveBack(
  claim: Claim,
  cause: string,
  delaySeconds: number,
  { isCancelled, next }: EndOptions,
): Promise<Ended> {
  await claim.release({ cause, next, ...(delaySeconds === 0 ? {} : { delaySeconds }) });
  if (isCancelled) return { ...CANCELLED, reason: cause };
  const delay = delaySeconds === 0 ? "" : `; it can be claimed again in ${delaySeconds} s`;
  return { outcome: "given_back", reason: `${cause}${delay}`, result: null, isFinal: false };
}

const CANCELLED = { outcome: "cancelled", result: null, isFinal: false } as const;
