/** Asks the coordinator with a connection of the hook's own. It loads a NATS client, which takes time. */
import { within } from "../../client/waiting.ts";
import { withCalls } from "../shared/client.ts";
import type { ConnectionOptions } from "../shared/connection-options.ts";
import { reportOf } from "../shared/error-report.ts";
import { EXIT } from "../shared/exit-codes.ts";
import { answerTo, type CheckedClaim, type Question } from "./questions.ts";

/** So long, a request is repeated if no worker answers, because workers may be restarting. */
const PATIENCE_MS = 1_000;

/**
 * @param ms with a server that says nothing, the connection alone would take longer
 * @returns null if no coordinator answers: then nobody knows
 */
export async function askCoordinator(
  question: Question,
  flags: ConnectionOptions,
  ms: number,
): Promise<readonly CheckedClaim[] | null> {
  let answer: readonly CheckedClaim[] | null = null;
  const options = { timeout: PATIENCE_MS, json: true, ...flags };
  const asked = withCalls(options, async ({ calls }) => {
    answer = await answerTo(question, (operation, id, body) =>
      calls.call(operation, id, () => body),
    );
  });
  try {
    await within(ms, asked);
  } catch (error) {
    if (reportOf(error).exitCode !== EXIT.noCoordinator) throw error;
  }
  return answer;
}
