/** Connects to NATS, checks that the server will do, and tells when the connection comes and goes. */
import { readFile } from "node:fs/promises";
import {
  type Authenticator,
  AuthorizationError,
  credsAuthenticator,
  type NatsConnection,
  type NodeConnectionOptions,
  type Status,
  TimeoutError,
} from "@nats-io/transport-node";
import { jetstreamManager } from "@nats-io/jetstream";
import { judgeServerVersion } from "./server-versions.ts";
import { connect } from "./transport.ts";

/** What accepts a connection and then says nothing is no NATS server. */
const CONNECT_TIMEOUT_MS = 5_000;

export type Connection = NatsConnection;

export interface ConnectOptions {
  readonly servers: readonly string[];
  /** Shown in the server's list of connections. */
  readonly name?: string;
  /** -1, the default: never give up. */
  readonly maxReconnectAttempts?: number;
  /** Seconds between two attempts. Default 2. */
  readonly reconnectTimeWait?: number;
  /** Of the NATS user; not as a part of a URL. */
  readonly username?: string | undefined;
  /** Of the NATS user. */
  readonly password?: string | undefined;
  /** Instead of a user. */
  readonly token?: string | undefined;
  /** Path of a credentials file. */
  readonly credsFile?: string | undefined;
  /** Path of the certificates that the server is checked against. */
  readonly caCert?: string | undefined;
  /** Path of a certificate, if the server wants one. */
  readonly certFile?: string | undefined;
  /** Path of the key of that certificate. */
  readonly keyFile?: string | undefined;
}

/** The NATS server cannot be reached or cannot serve; the message says what to do. */
export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
}

/** @throws ConnectionError */
export async function connectNats(options: ConnectOptions): Promise<NatsConnection> {
  const servers = [...options.servers];
  if (servers.some((url) => url.includes("@"))) {
    // The transport would ignore them, and every message about the server would show them.
    throw new ConnectionError(
      "a server's URL must not contain a user or password: use the options username and password",
    );
  }
  try {
    return await connect({
      servers,
      ...(options.name === undefined ? {} : { name: options.name }),
      timeout: CONNECT_TIMEOUT_MS,
      maxReconnectAttempts: options.maxReconnectAttempts ?? -1,
      reconnectTimeWait: (options.reconnectTimeWait ?? 2) * 1000,
      ...(await credentials(options)),
      ...tls(options),
    });
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new ConnectionError(
      `cannot connect to NATS at ${servers.join(", ")} (${problem}): ${cureOf(error)}`,
      { cause: error },
    );
  }
}

function cureOf(error: unknown): string {
  if (error instanceof AuthorizationError) {
    return (
      "check nats.username and nats.password, nats.token or nats.creds_file, which a program gives as " +
      "config.username and so on"
    );
  }
  if (error instanceof Error && "code" in error && error.code === "ENOENT") {
    return (
      "correct the path in nats.creds_file, nats.ca_cert, nats.cert_file or nats.key_file, which a " +
      "program gives as config.credsFile and so on"
    );
  }
  return "start a server, or name another with --nats <url>, or config.servers in a program";
}

async function credentials(options: ConnectOptions): Promise<Partial<NodeConnectionOptions>> {
  if (options.credsFile !== undefined) {
    const authenticator: Authenticator = credsAuthenticator(await readFile(options.credsFile));
    return { authenticator };
  }
  const { username: user, password: pass, token } = options;
  return {
    ...(user === undefined ? {} : { user }),
    ...(pass === undefined ? {} : { pass }),
    ...(token === undefined ? {} : { token }),
  };
}

function tls({ caCert, certFile, keyFile }: ConnectOptions): Partial<NodeConnectionOptions> {
  const files = {
    ...(caCert === undefined ? {} : { caFile: caCert }),
    ...(certFile === undefined ? {} : { certFile }),
    ...(keyFile === undefined ? {} : { keyFile }),
  };
  return Object.keys(files).length === 0 ? {} : { tls: files };
}

/** For the answer to one request. */
const API_TIMEOUT_MS = 2_500;

/** @throws ConnectionError if the server is too old, or has no JetStream for this account. */
export async function requireJetStream(connection: NatsConnection): Promise<void> {
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
    await jetstreamManager(connection, { checkAPI: true, timeout: API_TIMEOUT_MS });
  } catch (error) {
    const problem =
      error instanceof TimeoutError
        ? "does not answer for JetStream: a cluster needs most of its servers, and a moment to elect a leader"
        : "has no JetStream for this account: start it with --jetstream, or enable JetStream in " +
          "the account";
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
