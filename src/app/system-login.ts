/** How a worker connects as a user of the system account. */
import type { Config } from "../config.ts";
import type { ConnectOptions } from "../nats/connection.ts";

/** @returns `null` if no such user is set */
export function systemLogin(nats: Config["nats"], name: string): ConnectOptions | null {
  const { systemUsername: username, systemPassword: password, systemCredsFile: credsFile } = nats;
  if (username === undefined && credsFile === undefined) return null;
  const { servers, maxReconnectAttempts, reconnectTimeWait, caCert, certFile, keyFile } = nats;
  return {
    ...{ servers, maxReconnectAttempts, reconnectTimeWait, caCert, certFile, keyFile },
    ...{ username, password, credsFile, name },
  };
}
