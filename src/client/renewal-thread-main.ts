/** The thread of `renewal-thread.ts`: it has its own connection and sends heartbeats for the session. */
import { parentPort, workerData } from "node:worker_threads";
import { BusConnection } from "./bus-connection.ts";
import type { Logger } from "./logger.ts";
import type { FromThread, ThreadData, ToThread } from "./renewal-thread.ts";
import { SessionLeases } from "./session-leases.ts";
import { TaskClient } from "./task-client.ts";
import type { TaskError } from "./task-error.ts";

if (parentPort !== null) await renew(parentPort, workerData as ThreadData);

async function renew(
  port: NonNullable<typeof parentPort>,
  { connect, session }: ThreadData,
): Promise<void> {
  const tell = (message: FromThread): void => {
    port.postMessage(message);
  };
  const log = (level: keyof Logger) => (message: string) => {
    tell({ kind: "log", level, message });
  };
  const logger = { debug: log("debug"), warn: log("warn"), error: log("error") };
  const link = new BusConnection({
    ...connect,
    name: `${connect.name ?? session.sessionId} renewal`,
  });
  await link.connect();
  const listener = {
    lost: (taskId: string, attempt: number): void => {
      tell({ kind: "lost", taskId, attempt });
    },
    cancelled: (taskId: string, attempt: number): void => {
      tell({ kind: "cancelled", taskId, attempt });
    },
    replaced: ({ message }: TaskError): void => {
      tell({ kind: "replaced", message });
    },
  };
  const leases = new SessionLeases(
    new TaskClient(link, { logger }),
    session,
    listener,
    logger,
    link,
  );
  port.on("message", (message: ToThread) => {
    switch (message.kind) {
      case "keep":
        leases.keep(message.claim);
        break;
      case "drop":
      case "abandon":
        leases[message.kind](message.taskId, message.attempt);
        break;
      case "drain":
        leases.drain();
        break;
      case "stop":
        leases.stop();
        port.close();
        void link.disconnect();
    }
  });
  tell({ kind: "ready" });
}
