/**
 * The live messages on `task-updates.>`: NATS republishes each record as it is written. An agent that does not see
 * everything receives those of its own tasks, from workers (`agent-updates.ts`).
 */
import type { Msg, NatsConnection } from "@nats-io/nats-core";
import { TASK_UPDATES } from "../protocol/subjects.ts";

/** The revision of the record. */
export const SEQUENCE_HEADER = "Nats-Sequence";

/** One write to the bucket `tasks`. */
export interface UpdateMessage {
  readonly taskId: string;
  readonly revision: number;
  /** Epoch milliseconds. */
  readonly writtenAt: number;
  /** The record. Empty if the task was removed. */
  readonly text: string;
}

export interface UpdateStream {
  stop(): void;
}

/**
 * Calls the handler for each write from now on, of all tasks or of one. The handler must not throw.
 *
 * Writes are missed while the connection is broken. Revisions are contiguous over the whole bucket, so a
 * subscriber of all tasks notices a gap.
 *
 * @param refused called if the server does not permit the subscription: no write will come
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

/** `null` if the message has no revision: anyone may publish on the subject. */
function parseUpdate(msg: Msg): UpdateMessage | null {
  try {
    const revision = Number(msg.headers?.get(SEQUENCE_HEADER));
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
