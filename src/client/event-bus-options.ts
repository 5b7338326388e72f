/** The options of an event bus, checked before it connects. */
import type { ConnectOptions } from "../nats/connection.ts";
import {
  checkDomain,
  checkInboxPrefix,
  ConnectionValueError,
  parseServers,
} from "../nats/connection-values.ts";
import { z } from "zod";
import { checkOptions, number, objectOf, optionSchema } from "./check-options.ts";
import type { Logger } from "./logger.ts";
import type { SharedOptions } from "./shared-state.ts";

/** How to reach the NATS servers. Every option can be left out. */
export interface EventBusConfig extends Omit<ConnectOptions, "servers"> {
  /**
   * One server, or several servers of one cluster as a list or separated by commas: `nats://host:port`,
   * `tls://host:port` or `host:port`. One `tls://` requires TLS from all of them. Default
   * `nats://127.0.0.1:4222`.
   */
  readonly servers?: string | readonly string[];
  /** JetStream domain of the bucket `shared`, if it is not the domain of the server (a leaf node). */
  readonly jsDomain?: string;
  /** Replicas of the bucket `shared`, if this bus creates it. Default 1. */
  readonly replicas?: number;
}

/** Only `nats` is supported. `etcd`, from the first design of this coordinator, is refused. */
export type Backend = "nats" | "etcd";

/** What an event bus is made with. */
export interface EventBusOptions {
  /** Must be `nats`. */
  readonly backend: Backend;
  /** Default: a server on this machine. */
  readonly config?: EventBusConfig;
  /**
   * How many calls are under way at a time. Further calls wait for their turn, so that a burst is not
   * refused as `overloaded`. Renewals and releases have as many places of their own; heartbeats, and
   * requests that wait for a task, need none. At least 1, default 256.
   */
  readonly maxInFlight?: number;
  /** Default: warnings and errors go to the console. With `console`, every request is logged. */
  readonly logger?: Logger;
}

export interface BusSettings {
  readonly connect: ConnectOptions;
  readonly shared: SharedOptions;
  readonly maxInFlight: number | undefined;
}

const DEFAULT_SERVERS = ["nats://127.0.0.1:4222"];

const CONFIG = optionSchema<EventBusConfig>({
  servers: keeping(
    z.union([z.string(), z.array(z.string())], "must be one URL or a list of them"),
    parseServers,
  ),
  name: z.string(),
  maxReconnectAttempts: atLeast(-1),
  reconnectTimeWait: atLeast(0),
  username: z.string(),
  password: z.string(),
  token: z.string(),
  credsFile: z.string(),
  nkeyFile: z.string(),
  caCert: z.string(),
  certFile: z.string(),
  keyFile: z.string(),
  inboxPrefix: keeping(z.string(), checkInboxPrefix),
  jsDomain: keeping(z.string(), checkDomain),
  replicas: number,
});

const IN_FLIGHT_RULE = "must be a whole number, at least 1";
const OPTIONS = z.strictObject({
  backend: z.literal<Backend>("nats", {
    error: ({ input }) =>
      `${JSON.stringify(input)} is not supported, because this coordinator is built on NATS: use ` +
      '"nats", with the URLs of NATS servers as config.servers',
  }),
  config: CONFIG.optional(),
  maxInFlight: z.int(IN_FLIGHT_RULE).min(1, IN_FLIGHT_RULE).optional(),
  logger: objectOf<Logger>().optional(),
});

/** @throws TaskError `invalid_request` that names the option */
export function parseOptions(options: EventBusOptions): BusSettings {
  checkOptions(options, OPTIONS);
  const { servers = DEFAULT_SERVERS, replicas = 1, jsDomain, ...connect } = options.config ?? {};
  return {
    connect: { ...connect, servers: [servers].flat() },
    shared: { replicas, jsDomain },
    maxInFlight: options.maxInFlight,
  };
}

/** Values that a rule of the NATS connection accepts. The message is that of the rule. */
function keeping<V>(schema: z.ZodType<V>, rule: (value: V) => unknown): z.ZodType<V> {
  return schema.superRefine((value, context) => {
    try {
      rule(value);
    } catch (error) {
      if (!(error instanceof ConnectionValueError)) throw error;
      context.addIssue({ code: "custom", message: error.message });
    }
  });
}

function atLeast(least: number): z.ZodType<number> {
  return number.refine((given) => given >= least, `must be at least ${least}`);
}
