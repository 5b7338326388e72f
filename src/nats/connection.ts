/** Connects to NATS, and reports lost and restored connections. */
import {
  AuthorizationError,
  type NatsConnection,
  type Status,
  TimeoutError,
  UserAuthenticationExpiredError,
} from "@nats-io/transport-node";
import { MAX_TIMER_MS } from "../timers.ts";
import {
  checkInboxPrefix,
  ConnectionValueError,
  parseServers,
  type ServerList,
} from "./connection-values.ts";
import {
  credentials,
  type LoginNames,
  type LoginOptions,
  tlsOptions,
  USER_NAMES,
} from "./login.ts";
import { connect } from "./patched-transport.ts";

/** A server that accepts the connection but sends nothing for this long is not a NATS server. */
const CONNECT_TIMEOUT_MS = 5_000;

/**
 * A server that answers no ping has lost its power or its network: nothing closes the connection. It is
 * given up at the third ping, so after 20 to 30 s. The library's default takes up to six minutes.
 */
const PING_INTERVAL_MS = 10_000;
const MAX_PINGS_UNANSWERED = 2;

export type Connection = NatsConnection;
export type { LoginNames } from "./login.ts";

export interface ConnectOptions extends LoginOptions {
  /** `nats://host:port`, `tls://host:port` or `host:port`. One `tls://` makes TLS mandatory for all. */
  readonly servers: readonly string[];
  /** Shown in the server's list of connections. */
  readonly name?: string;
  /** -1, the default: never give up. */
  readonly maxReconnectAttempts?: number;
  /** Seconds between two attempts. Default 2. */
  readonly reconnectTimeWait?: number;
  /** The prefix of the subjects on which this connection receives replies. Default `_INBOX`. */
  readonly inboxPrefix?: string | undefined;
}

/** The NATS server cannot be reached, or is not suitable. The message says what to do. */
export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
}

/**
 * @param names of the options where they are set, for error messages
 * @throws ConnectionError
 */
export async function connectNats(
  options: ConnectOptions,
  names: LoginNames = USER_NAMES,
): Promise<NatsConnection> {
  const { urls, requiresTls } = serversOf(options);
  const last: { socketError?: Error } = {};
  try {
    return await connect({
      servers: [...urls],
      ...(options.name === undefined ? {} : { name: options.name }),
      ...(options.inboxPrefix === undefined ? {} : { inboxPrefix: options.inboxPrefix }),
      timeout: CONNECT_TIMEOUT_MS,
      pingInterval: PING_INTERVAL_MS,
      maxPingOut: MAX_PINGS_UNANSWERED,
      maxReconnectAttempts: options.maxReconnectAttempts ?? -1,
      reconnectTimeWait: Math.min((options.reconnectTimeWait ?? 2) * 1000, MAX_TIMER_MS),
      ...(await credentials(options, names)),
      ...(await tlsOptions(options, requiresTls, names)),
      socketFailed: (error) => {
        last.socketError = error;
      },
    });
  } catch (cause) {
    // A server that rejects a certificate closes the socket. The transport does not notice and waits for
    // its timeout, so the error of the socket is the real cause.
    const error: unknown = cause instanceof TimeoutError ? (last.socketError ?? cause) : cause;
    const problem = error instanceof Error ? error.message : String(error);
    // Loaded only now, because most connections succeed, and commands must start fast.
    const { cureOf } = await import("./connect-failure.ts");
    const cure = cureOf({ error, names, hasCaCert: options.caCert !== undefined });
    throw new ConnectionError(
      cure === null
        ? problem
        : `cannot connect to NATS at ${urls.join(", ")} (${problem}): ${cure}`,
      { cause: error },
    );
  }
}

function serversOf({ servers, inboxPrefix }: ConnectOptions): ServerList {
  try {
    if (inboxPrefix !== undefined) checkInboxPrefix(inboxPrefix);
    return parseServers(servers);
  } catch (error) {
    if (!(error instanceof ConnectionValueError)) throw error;
    throw new ConnectionError(`the list of servers ${error.message}`, { cause: error });
  }
}

/** The server's id, and the number that it gave to this connection; `null` while not connected yet. */
export function connectionIdOf({
  info,
}: NatsConnection): { readonly serverId: string; readonly clientId: number } | null {
  return info === undefined ? null : { serverId: info.server_id, clientId: info.client_id };
}

export interface ConnectionListener {
  disconnected(): void;
  reconnected(server: string): void;
  /** The server does not accept the credentials, or no longer. The connection may not end with this error. */
  refused?(error: Error): void;
}

function isRefusal(error: Error): boolean {
  return error instanceof AuthorizationError || error instanceof UserAuthenticationExpiredError;
}

/** Calls the listener until the connection is closed, or the returned function is called. */
export function listenToConnection(
  connection: NatsConnection,
  listener: ConnectionListener,
): () => void {
  // The library returns a queue that can be stopped, but its type does not say so.
  const statuses: AsyncIterable<Status> & { stop?(): void } = connection.status();
  const listen = async (): Promise<void> => {
    for await (const status of statuses) {
      if (status.type === "disconnect") listener.disconnected();
      else if (status.type === "reconnect") listener.reconnected(status.server);
      else if (status.type === "error" && isRefusal(status.error)) listener.refused?.(status.error);
    }
  };
  void listen();
  return () => {
    statuses.stop?.();
  };
}
