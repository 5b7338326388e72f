/** A connection for a command that also has something to do if no server runs. */
import { AuthorizationError } from "@nats-io/transport-node";
import {
  type Connection,
  connectNats,
  ConnectionError,
  type ConnectOptions,
} from "./connection.ts";
import type { LoginNames } from "./login.ts";

/**
 * @returns a text: why no server can be reached
 * @throws ConnectionError if the server refuses the user
 */
export async function connectIfReachable(
  options: ConnectOptions,
  names: LoginNames,
): Promise<Connection | string> {
  try {
    return await connectNats({ ...options, maxReconnectAttempts: 0 }, names);
  } catch (error) {
    if (!(error instanceof ConnectionError) || !isUnreachable(error.cause)) throw error;
    return error.cause instanceof Error ? error.cause.message : error.message;
  }
}

/** Nothing answers, or nothing that is a NATS server. A mistake in a file or in TLS is not that. */
function isUnreachable(cause: unknown): boolean {
  if (!(cause instanceof Error) || cause instanceof AuthorizationError) return false;
  const code = "code" in cause ? String(cause.code) : "";
  return cause.name === "TimeoutError" || cause.name === "ConnectionError" || UNREACHABLE.has(code);
}

const UNREACHABLE = new Set([
  ...["ECONNREFUSED", "ECONNRESET", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT", "ENOTFOUND"],
  "EAI_AGAIN",
]);
