/** Connects to NATS, checks that the server will do, and tells when the connection comes and goes. */
import { type NatsConnection, type Status, TimeoutError } from "@nats-io/transport-node";
import { jetstreamManager } from "@nats-io/jetstream";
import { MAX_TIMER_MS } from "../timers.ts";
import { cureOf } from "./connect-failure.ts";
import {
  checkInboxPrefix,
  ConnectionValueError,
  parseServers,
  type ServerList,
} from "./connection-values.ts";
import { inDomain } from "./js-domain.ts";
import {
  credentials,
  type LoginNames,
  type LoginOptions,
  tlsOptions,
  USER_NAMES,
} from "./login.ts";
import { judgeServerVersion } from "./server-versions.ts";
import { connect } from "./patched-transport.ts";

/** What accepts a connection and then says nothing is no NATS server. */
const CONNECT_TIMEOUT_MS = 5_000;

export type Connection = NatsConnection;

export interface ConnectOptions extends LoginOptions {
  /** `nats://host:port`, `tls://host:port` or `host:port`. One `tls://` requires TLS of all of them. */
  readonly servers: readonly string[];
  /** Shown in the server's list of connections. */
  readonly name?: string;
  /** -1, the default: never give up. */
  readonly maxReconnectAttempts?: number;
  /** Seconds between two attempts. Default 2. */
  readonly reconnectTimeWait?: number;
  /** Of the subjects on which replies are received. Default `_INBOX`. */
  readonly inboxPrefix?: string | undefined;
}

/** The NATS server cannot be reached or cannot serve; the message says what to do. */
export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
}

/**
 * @param names what the options are called where they are set
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
      maxReconnectAttempts: options.maxReconnectAttempts ?? -1,
      reconnectTimeWait: Math.min((options.reconnectTimeWait ?? 2) * 1000, MAX_TIMER_MS),
      ...(await credentials(options, names)),
      ...(await tlsOptions(options, requiresTls)),
      socketFailed: (error) => {
        last.socketError = error;
      },
    });
  } catch (cause) {
    // A server that hangs up over a certificate says so on the socket; the transport waits for more.
    const error: unknown = cause instanceof TimeoutError ? (last.socketError ?? cause) : cause;
    const problem = error instanceof Error ? error.message : String(error);
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

/** For the answer to one request. */
const API_TIMEOUT_MS = 2_500;

/**
 * @param domain JetStream's, if it is not that of the server
 * @throws ConnectionError if the server is too old, or has no JetStream for this account
 */
export async function requireJetStream(connection: NatsConnection, domain?: string): Promise<void> {
  const version = connection.info?.version ?? "0.0.0";
  const verdict = judgeServerVersion(version);
  if (verdict.kind === "too_old") {
    const { problem, cure } = verdict;
    throw new ConnectionError(
      `the NATS server at ${connection.getServer()} is version ${version}, ${problem}: ${cure}`,
    );
  }
  try {
    // checkAPI asks for the account's JetStream, which the server may have while the account has not.
    await jetstreamManager(connection, {
      checkAPI: true,
      timeout: API_TIMEOUT_MS,
      ...inDomain(domain),
    });
  } catch (error) {
    const problem =
      error instanceof TimeoutError
        ? "does not answer for JetStream: a cluster needs most of its servers, and a moment to elect a leader"
        : domain === undefined
          ? "has no JetStream for this account: start it with --jetstream, or enable JetStream in " +
            "the account"
          : `cannot reach a JetStream domain ${domain}: correct nats.js_domain, which a program ` +
            "gives as config.jsDomain";
    throw new ConnectionError(`the NATS server at ${connection.getServer()} ${problem}`, {
      cause: error,
    });
  }
}

/** The connection as the server that it is connected to names it; `null` while that is not known. */
export function connectionIdOf({
  info,
}: NatsConnection): { readonly serverId: string; readonly clientId: number } | null {
  return info === undefined ? null : { serverId: info.server_id, clientId: info.client_id };
}

export interface ConnectionListener {
  disconnected(): void;
  reconnected(server: string): void;
}

/** Calls the listener until the connection is closed, or the returned function is called. */
export function listenToConnection(
  connection: NatsConnection,
  listener: ConnectionListener,
): () => void {
  // What comes out is a queue that can be stopped, which the library does not declare.
  const statuses: AsyncIterable<Status> & { stop?(): void } = connection.status();
  const listen = async (): Promise<void> => {
    for await (const status of statuses) {
      if (status.type === "disconnect") listener.disconnected();
      else if (status.type === "reconnect") listener.reconnected(status.server);
    }
  };
  void listen();
  return () => {
    statuses.stop?.();
  };
}
