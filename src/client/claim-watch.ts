/**
 * Watches the task of one claim, so that a loss or a cancellation is known at once. If the message does
 * not arrive, the next heartbeat reports it.
 */
import type { Connection } from "../nats/connection.ts";
import { subscribeToUpdates } from "../nats/task-updates.ts";
import { SESSION_REPLACED } from "../task/task.ts";
import { TaskError } from "./task-error.ts";
import { LiveChange } from "./task-update.ts";
import { within } from "./waiting.ts";

export interface ClaimWatcher {
  lost(why: string): void;
  cancelled(): void;
  replaced(error: TaskError): void;
}

export interface ClaimWatch {
  /** Resolves when the NATS server knows of the watch, or after a second. Never rejects. */
  untilKnown(): Promise<void>;
  stop(): void;
}

/** A server that does not answer by then has lost its power or its network. */
const KNOWN_MS = 1_000;

export function watchClaim(
  connection: Connection,
  taskId: string,
  attempt: number,
  watcher: ClaimWatcher,
): ClaimWatch {
  const watch = subscribeToUpdates(
    connection,
    (message) => {
      const { task } = new LiveChange(message);
      if (task === null || task.attempt < attempt) return;
      if (task.status === "claimed" && task.attempt === attempt) {
        if (task.cancel_requested === true) watcher.cancelled();
        return;
      }
      const why = task.last_event?.reason ?? `the task is ${task.status}`;
      if (task.attempt === attempt && why === SESSION_REPLACED) {
        watcher.replaced(new TaskError("session_replaced", REPLACED));
      }
      watcher.lost(why);
    },
    taskId,
  );
  return {
    // The server reads the subscription before the ping.
    untilKnown: async () => {
      await within(
        KNOWN_MS,
        connection.flush().catch(() => undefined),
      );
    },
    stop: () => {
      watch.stop();
    },
  };
}

const REPLACED = "the session was registered by another instance, to which it belongs now";
