/** Whether an agent receives the records of all tasks although it may not see them. */
import { attemptRequest, type Listener } from "../../../nats/access-attempts.ts";
import type { Connection } from "../../../nats/connection.ts";
import { readReply, statsReply } from "../../../protocol/nats-replies.ts";
import type { Row } from "./verdict.ts";

/**
 * Nothing can be published there for a test, so this shows only what came meanwhile.
 *
 * @param updates has listened since the check began
 * @returns nothing if no worker says what agents may see
 */
export async function judgeUpdates(connection: Connection, updates: Listener): Promise<Row[]> {
  const outcome = await attemptRequest(connection, "tasks.stats", {});
  const reply = outcome.kind === "answered" ? readReply(statsReply, outcome.text) : null;
  if (reply === null) return [];
  const attempt = "receive the records of all tasks";
  const { visibility } = reply.worker;
  if (visibility === "all") {
    return [{ attempt, isGood: true, result: "allowed: auth.visibility is all" }];
  }
  if (!(await updates.hasHeard(""))) {
    return [{ attempt, isGood: true, result: "none came meanwhile" }];
  }
  const cure = `let its account import agent.<name>.task-updates.> as task-updates.>, because auth.visibility is ${visibility}`;
  return [{ attempt, isGood: false, result: "they were received", cure }];
}
