/** The live messages on `task-updates.>`: each record as it is written, republished by NATS itself. */
import type { Msg, NatsConnection } from "@nats-io/nats-core";
import { TASK_UPDATES } from "../protocol/subjects.ts";

/** One write in the bucket `tasks`. */
export interface UpdateMessage {
  readonly taskId: string;
  readonly revision: number;
  /** Epoch milliseconds. */
  readonly writtenAt: number;
  /** The record; empty if the task was removed. */
  readonly text: string;
}

export interface UpdateStream {
  stop(): void;
}

/**
 * Calls the handler, which must not throw, for each write from now on, of all tasks unless one is named.
 * What arrives while the connection is broken is missed; revisions are contiguous over the whole bucket,
 * so whoever follows all tasks notices.
 *
 * @param refused is told that nothing will come, as the server does not permit it
 */
export function subscribeToUpdates(
  connection: NatsConnection,
  handler: (message: UpdateMessage) => void,
  taskId = ">",
  refused: (error: Error) => void = () => undefined,
): UpdateStream {
  const subscription = connection.subscribe(`${TASK_UPDATES}.${taskId}`, {
    callback: (error, msg) => {
      if (error !== null) {
        refused(error);
        return;
      }
      const message = parseUpdate(msg);
      if (message !== null) handler(message);
    },
  });
  return {
    stop: () => {
      subscription.unsubscribe();
    },
  };
}

/** `null` for what NATS has not republished: anybody may publish there. */
function parseUpdate(msg: Msg): UpdateMessage | null {
  try {
    const revision = Number(msg.headers?.get("Nats-Sequence"));
    if (!Number.isSafeInteger(revision) || revision < 1) return null;
    return {
      taskId: msg.subject.slice(TASK_UPDATES.length + 1),
      revision,
      writtenAt: Date.parse(msg.headers?.get("Nats-Time-Stamp") ?? ""),
      text: msg.string(),
    };
  } catch {
    return null;
  }
}
