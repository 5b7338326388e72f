/** Handles one claim of a worker: calls the handler, and ends the claim by its result or its error. */
import type { Claim } from "./claim.ts";
import { describeError, type Logger } from "./logger.ts";
import {
  PermanentError,
  ReleaseError,
  type TaskContext,
  type TaskHandler,
} from "./task-handler.ts";

/** A worker goes on with the next task, which mostly comes with the end of the one before. */
const NEXT = { next: true } as const;

/** @throws TaskError if the claim is over, or the coordinator does not answer */
export async function handleClaim(
  claim: Claim,
  session: string,
  handler: TaskHandler,
  logger: Logger,
): Promise<void> {
  const { task, attempt, fencingToken, signal } = claim;
  const progress = (value: unknown): void => {
    claim.progress(value);
  };
  const context: TaskContext = { attempt, fencingToken, session, signal, progress };
  let result: unknown;
  try {
    result = await handler(task, context);
  } catch (error) {
    await handlerFailed(claim, error, logger);
    return;
  }
  if (!claim.isOver) await complete(claim, result, logger);
}

async function complete(claim: Claim, result: unknown, logger: Logger): Promise<void> {
  try {
    await claim.complete(result, NEXT);
  } catch (error) {
    if (claim.isOver) throw error;
    // The result can never be stored: another attempt would end in the same way.
    await endAsFailed(claim, error, false, logger);
  }
}

async function handlerFailed(claim: Claim, error: unknown, logger: Logger): Promise<void> {
  if (claim.isOver) {
    logger.debug(`${claim.task.task_id}: ${String(error)}`);
  } else if (error instanceof ReleaseError) {
    await release(claim, error, logger);
  } else if (claim.signal.aborted) {
    // The handler stopped because it was asked to, which is not a failure.
    await claim.release(NEXT);
  } else {
    logger.debug(`${claim.task.task_id} failed: ${describeError(error)}`);
    await endAsFailed(claim, error, !(error instanceof PermanentError), logger);
  }
}

async function release(claim: Claim, { options }: ReleaseError, logger: Logger): Promise<void> {
  try {
    await claim.release({ ...options, ...NEXT });
  } catch (refusal) {
    if (claim.isOver) throw refusal;
    await endAsFailed(claim, refusal, true, logger);
  }
}

/**
 * Fails the task in a way that can be stored, because the task is held until it is ended. An error that
 * can never be stored would be thrown again: then the task is failed for good, and its record says why
 * if it has room.
 */
async function endAsFailed(
  claim: Claim,
  error: unknown,
  retry: boolean,
  logger: Logger,
): Promise<void> {
  try {
    await claim.fail(error, { retry, ...NEXT });
  } catch (refusal) {
    if (claim.isOver) throw refusal;
    logger.warn(`${claim.task.task_id} failed: ${describeError(error)}`);
    await failForGood(claim, new Error(`what was thrown cannot be stored: ${String(refusal)}`));
  }
}

async function failForGood(claim: Claim, reason: Error): Promise<void> {
  try {
    await claim.fail(reason, { retry: false, ...NEXT });
  } catch (error) {
    if (claim.isOver) throw error;
    await claim.fail(null, { retry: false, ...NEXT });
  }
}
