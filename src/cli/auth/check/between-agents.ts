/** What two principals must not be able to do to each other. One account for both is no wall between them. */
import { attemptRequest, listen, publishTo } from "../../../nats/access-attempts.ts";
import type { Connection } from "../../../nats/connection.ts";
import { mustNotHear, type Row } from "./verdict.ts";

const CURE = "give each of the two an account of its own";

/** @param nobody an id that no task has */
export async function tryBetween(
  attacker: Connection,
  other: Connection,
  nobody: string,
): Promise<Row[]> {
  const row = (attempt: string, hasHeard: boolean): Row => ({
    attempt,
    ...mustNotHear(hasHeard),
    ...(hasHeard && { cure: CURE }),
  });
  const everything = await listen(attacker, ">");
  // The refusal repeats the id, so the reply would be recognized as well.
  await attemptRequest(other, `tasks.get.${nobody}`, {});
  const overhears = await everything.hasHeard(nobody);

  const updates = await listen(other, "task-updates.>");
  await publishTo(attacker, `task-updates.${nobody}`);
  const forges = await updates.hasHeard(nobody);

  const inbox = await listen(other, `_INBOX.${nobody}`);
  await publishTo(attacker, `_INBOX.${nobody}`);
  const answers = await inbox.hasHeard(nobody);
  return [
    row("overhear the requests of the other one", overhears),
    row("send an update to the other one", forges),
    row("answer a request of the other one", answers),
  ];
}
