/** The connection of a command to the coordinator. It is closed when the command's work has ended. */
import { Calls } from "../../client/calls.ts";
import type { Coordinator } from "../../client/coordinator.ts";
import type { EventBus } from "../../client/event-bus.ts";
import type { Logger } from "../../client/logger.ts";
import { clientSettings, type ConnectionFlags } from "../../config/client-settings.ts";
import type { Connection, ConnectOptions, LoginNames } from "../../nats/connection.ts";
import type { Requester } from "../../nats/requester.ts";
import type { ConnectionOptions } from "./connection-options.ts";
import type { OutputOptions } from "./data.ts";
import { ExitError } from "./errors.ts";
import { EXIT } from "./exit-codes.ts";
import { openByLibrary, openRequester } from "./quick-requester.ts";

/** What the NATS server shows as the name of the connection. */
const NAME = "if-coordinator command";

/** What error messages call the options. A context or a variable may have set them, too. */
export const CONNECTION_NAMES: LoginNames = {
  servers: "--nats <url>",
  user: "--user and --password, --creds, --nkey or --context",
  credsFile: "--creds",
  nkeyFile: "--nkey",
  caCert: "--tlsca",
  certFile: "--tlscert",
  keyFile: "--tlskey",
  keyAndCert: "--tlscert and --tlskey",
};

/**
 * For a command of single requests. It loads no schemas, and mostly no NATS library, so that the command starts
 * fast.
 *
 * @param failure `explained`: the error says why no server can be reached, which takes longer. The default
 * @throws ConnectionError, ContextError, ExitError, and what `work` throws
 */
export async function withCalls(
  options: ConnectionOptions & OutputOptions,
  work: (open: { readonly calls: Calls }) => Promise<void>,
  failure: "explained" | "unexplained" = "explained",
): Promise<void> {
  const connect = connectOptions(options);
  const quick = await openRequester(connect, CONNECTION_NAMES);
  if (quick === null && failure === "unexplained") {
    throw new ExitError(EXIT.noCoordinator, `nobody listens at ${connect.servers.join(", ")}`);
  }
  const requester = quick ?? (await openByLibrary(connect, CONNECTION_NAMES));
  try {
    await work({ calls: await callsOver(requester, options) });
  } finally {
    await requester.close();
  }
}

export interface OpenConnection {
  readonly calls: Calls;
  readonly connection: Connection;
  /** The JetStream domain of the buckets. `undefined`: that of the server. */
  readonly jsDomain: string | undefined;
}

/**
 * For a command that needs more of NATS than requests to the coordinator.
 *
 * @throws ConnectionError, ContextError, and what `work` throws
 */
export async function withConnection(
  options: ConnectionOptions & OutputOptions,
  work: (open: OpenConnection) => Promise<void>,
): Promise<void> {
  const { createRequester } = await import("../../nats/request.ts");
  const opened = await open(options, (connection) => Promise.resolve(createRequester(connection)));
  try {
    await work(opened);
  } finally {
    await opened.connection.close();
  }
}

/**
 * As `withConnection`, for a command that also uses the buckets: `servedRequester` says what that means. The
 * caller closes the connection.
 *
 * @throws ConnectionError, ContextError
 */
export async function openServedConnection(options: ConnectionOptions): Promise<OpenConnection> {
  const { servedRequester } = await import("./served-requester.ts");
  return open(options, servedRequester);
}

async function open(
  options: ConnectionOptions & OutputOptions,
  requesterOf: (connection: Connection) => Promise<Requester>,
): Promise<OpenConnection> {
  const { connectNats } = await import("../../nats/connection.ts");
  const connection = await connectNats(connectOptions(options), CONNECTION_NAMES);
  const calls = await callsOver(await requesterOf(connection), options);
  return { calls, connection, jsDomain: clientSettings(options).jsDomain };
}

async function callsOver(
  requester: Requester,
  options: ConnectionOptions & OutputOptions,
): Promise<Calls> {
  const timing = options.timeout === undefined ? {} : { deadlineMs: options.timeout };
  // With --json, standard error has the error and nothing else.
  const logger = options.json === true ? SILENCE : await warnings();
  return new Calls(requester, { ...timing, logger });
}

const SILENCE: Logger = { debug: () => undefined, warn: () => undefined, error: () => undefined };

async function warnings(): Promise<Logger> {
  return (await import("./warnings.ts")).WARNINGS;
}

/** On its own, because TypeScript 6.0 does not rewrite an `import()` in a function with `await using`. */
async function loadLibrary() {
  const [bus, coordinator] = await Promise.all([
    import("../../client/event-bus.ts"),
    import("../../client/coordinator.ts"),
  ]);
  return { ...bus, ...coordinator };
}

export interface OpenCoordinator {
  readonly bus: EventBus;
  readonly coordinator: Coordinator;
}

/**
 * Connects with the whole library, for updates, imports and work.
 *
 * @param logger receives the library's warnings. Default: standard error
 * @throws ConnectionError, ContextError, and what `work` throws
 */
export async function withCoordinator(
  options: ConnectionOptions,
  work: (open: OpenCoordinator) => Promise<void>,
  logger?: Logger,
): Promise<void> {
  const open = await openCoordinator(options, logger);
  await using bus = open.bus;
  await using coordinator = open.coordinator;
  await work({ bus, coordinator });
}

/** For a command with a longer life. The caller disconnects. @throws ConnectionError, ContextError */
export async function openCoordinator(
  options: ConnectionOptions,
  given?: Logger,
): Promise<OpenCoordinator> {
  const { EventBus, Coordinator } = await loadLibrary();
  const config = { ...clientSettings(options), name: NAME };
  const logger = given ?? (await warnings());
  const bus = new EventBus({ backend: "nats", config, logger });
  // Unlike `bus.connect()`, it throws the reason.
  await bus.link.connect(CONNECTION_NAMES);
  const timing = options.timeout === undefined ? {} : { deadlineMs: options.timeout };
  return { bus, coordinator: new Coordinator(bus, timing) };
}

/** @throws ContextError */
export function connectOptions(flags: ConnectionFlags): ConnectOptions {
  const { servers = "", ...settings } = clientSettings(flags);
  return { ...settings, servers: servers.split(","), name: NAME };
}
