/** Sends agents what they may see of a change. They receive it like what NATS republishes. */
import { headers, type NatsConnection } from "@nats-io/transport-node";
import { agentUpdates } from "../protocol/subjects.ts";
import type { AgentUpdate } from "../service/ports.ts";
import { SEQUENCE_HEADER } from "./task-updates.ts";

/** The result does not throw: nobody waits for these messages. */
export function agentUpdateSender(connection: NatsConnection): (update: AgentUpdate) => void {
  return ({ agent, taskId, revision, record }) => {
    if (connection.isClosed()) return;
    const header = headers();
    header.set(SEQUENCE_HEADER, String(revision));
    connection.publish(agentUpdates(agent, taskId), record, { headers: header });
  };
}
