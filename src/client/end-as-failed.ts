/** How a worker fails a task: in a way that can be stored, because the task is held until it is ended. */
import type { Claim } from "./claim.ts";
import { describeError, type Logger } from "./logger.ts";

/**
 * What was thrown and can never be stored would be thrown again: the task is failed for good, and says
 * why if its record has room.
 *
 * @throws TaskError if the claim is over, or the coordinator cannot be told
 */
export async function endAsFailed(
  claim: Claim,
  error: unknown,
  retry: boolean,
  logger: Logger,
): Promise<void> {
  try {
    await claim.fail(error, { retry });
  } catch (refusal) {
    if (claim.isOver) throw refusal;
    logger.warn(`${claim.task.task_id} failed: ${describeError(error)}`);
    await failForGood(claim, new Error(`what was thrown cannot be stored: ${String(refusal)}`));
  }
}

async function failForGood(claim: Claim, reason: Error): Promise<void> {
  try {
    await claim.fail(reason, { retry: false });
  } catch (error) {
    if (claim.isOver) throw error;
    await claim.fail(null, { retry: false });
  }
}
