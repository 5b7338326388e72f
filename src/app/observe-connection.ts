/** Announces that a worker's connection comes and goes, and notes which server it is on. */
import { type Connection, listenToConnection } from "../nats/connection.ts";
import { serverWarning } from "../nats/server-versions.ts";
import type { Observe } from "../service/ports.ts";
import type { HealthNotes } from "../telemetry/health.ts";

/** Returns whether the connection is there at the moment. */
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
    // A server that comes and goes is warned of once.
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
