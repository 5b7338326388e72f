/** Reports when a worker's connection is lost and restored, and notes warnings about its server. */
import { type Connection, listenToConnection } from "../nats/connection.ts";
import { serverWarning } from "../nats/server-versions.ts";
import type { Observe } from "../service/ports.ts";
import type { HealthNotes } from "../telemetry/health.ts";

/** @returns a function that tells whether the worker is connected now */
export function observeConnection(
  connection: Connection,
  observe: Observe,
  notes: HealthNotes,
): () => boolean {
  let connected = true;
  let warned: string | null = null;
  const judgeServer = (): void => {
    const warning = serverWarning(connection);
    notes.warning("server", warning);
    // The log warns once of a server, even if the connection to it is lost and restored.
    if (warning !== null && warning !== warned) observe({ kind: "warning", message: warning });
    warned = warning;
  };
  observe({ kind: "connection", state: "connected", server: connection.getServer() });
  judgeServer();
  listenToConnection(connection, {
    disconnected: () => {
      connected = false;
      observe({ kind: "connection", state: "disconnected", server: connection.getServer() });
    },
    reconnected: (server) => {
      connected = true;
      observe({ kind: "connection", state: "connected", server });
      judgeServer();
    },
  });
  return () => connected && !connection.isClosed();
}
