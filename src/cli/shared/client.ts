/** The connection of a command to the coordinator. It is closed when the command's work has ended. */
import { Calls } from "../../client/calls.ts";
import type { Coordinator } from "../../client/coordinator.ts";
import type { EventBus } from "../../client/event-bus.ts";
import type { Logger } from "../../client/logger.ts";
import { clientSettings, type ConnectionFlags } from "../../config/client-settings.ts";
import {
  type Connection,
  connectNats,
  type ConnectOptions,
  type LoginNames,
} from "../../nats/connection.ts";
import { createRequester, type Requester } from "../../nats/request.ts";
import type { ConnectionOptions } from "./connection-options.ts";
import type { OutputOptions } from "./data.ts";
import { printError } from "./output.ts";
import { printableLines } from "./terminal-text.ts";

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

/** The library's warnings, such as that it asks again, go to standard error. */
const LOGGER: Logger = {
  debug: () => undefined,
  warn: say,
  error: say,
};

/** The message can contain the words of others. */
function say(message: string): void {
  printError(`if-coordinator: ${printableLines(message)}`);
}

/** With --json, standard error has the error and nothing else. */
const NO_LOGGER: Logger = { debug: () => undefined, warn: () => undefined, error: () => undefined };

export interface OpenCalls {
  readonly calls: Calls;
  readonly connection: Connection;
  /** The JetStream domain of the buckets. `undefined`: that of the server. */
  readonly jsDomain: string | undefined;
}

/**
 * Connects for single requests. It loads no schemas, so that the command starts fast.
 *
 * @throws ConnectionError, ContextError, and what `work` throws
 */
export async function withCalls(
  options: ConnectionOptions & OutputOptions,
  work: (open: OpenCalls) => Promise<void>,
): Promise<void> {
  const opened = await openCalls(options);
  try {
    await work(opened);
  } finally {
    await opened.connection.close();
  }
}

/** For a command with several connections. The caller closes them. @throws ConnectionError, ContextError */
export function openCalls(options: ConnectionOptions & OutputOptions): Promise<OpenCalls> {
  return open(options, (connection) => Promise.resolve(createRequester(connection)));
}

/** As `openCalls`, for a command that also uses the buckets: `servedRequester` says what that means. */
export async function openServedCalls(options: ConnectionOptions): Promise<OpenCalls> {
  const { servedRequester } = await import("./served-requester.ts");
  return open(options, servedRequester);
}

async function open(
  options: ConnectionOptions & OutputOptions,
  requesterOf: (connection: Connection) => Promise<Requester>,
): Promise<OpenCalls> {
  const connection = await connectNats(connectOptions(options), CONNECTION_NAMES);
  const timing = options.timeout === undefined ? {} : { deadlineMs: options.timeout };
  const logger = options.json === true ? NO_LOGGER : LOGGER;
  const calls = new Calls(await requesterOf(connection), { ...timing, logger });
  return { calls, connection, jsDomain: clientSettings(options).jsDomain };
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
  logger = LOGGER,
): Promise<void> {
  const open = await openCoordinator(options, logger);
  await using bus = open.bus;
  await using coordinator = open.coordinator;
  await work({ bus, coordinator });
}

/** For a command with a longer life. The caller disconnects. @throws ConnectionError, ContextError */
export async function openCoordinator(
  options: ConnectionOptions,
  logger = LOGGER,
): Promise<OpenCoordinator> {
  const { EventBus, Coordinator } = await loadLibrary();
  const config = { ...clientSettings(options), name: NAME };
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
