/** What an event bus can be made with, checked before anything is connected. */
import type { ConnectOptions } from "../nats/connection.ts";
import {
  checkDomain,
  checkInboxPrefix,
  ConnectionValueError,
  parseServers,
} from "../nats/connection-values.ts";
import { checkOptions, type OptionTypes } from "./check-options.ts";
import type { Logger } from "./logger.ts";
import type { SharedOptions } from "./shared-state.ts";
import { invalidInput } from "./task-error.ts";

/** How to reach the NATS servers. Everything can be left out. */
export interface EventBusConfig extends Omit<ConnectOptions, "servers"> {
  /**
   * One server, or several of one cluster as a list or separated by commas: `nats://host:port`,
   * `tls://host:port` or `host:port`. One `tls://` requires TLS of all of them. Default
   * `nats://127.0.0.1:4222`.
   */
  readonly servers?: string | readonly string[];
  /** JetStream domain of the bucket `shared`, if it is not that of the server (a leaf node). */
  readonly jsDomain?: string;
  /** Replicas of the bucket `shared`, if this bus is the first to use it. Default 1. */
  readonly replicas?: number;
}

/** Only `nats` is supported; `etcd`, which the first design of this coordinator had, is refused. */
export type Backend = "nats" | "etcd";

/** What an event bus is made with. */
export interface EventBusOptions {
  /** `nats`. */
  readonly backend: Backend;
  /** Default: a server on this machine. */
  readonly config?: EventBusConfig;
  /** Default: warnings and errors go to the console. With `console`, every request is logged. */
  readonly logger?: Logger;
}

export interface BusSettings {
  readonly connect: ConnectOptions;
  readonly shared: SharedOptions;
}

const DEFAULT_SERVERS = ["nats://127.0.0.1:4222"];

const CONFIG_OPTIONS: OptionTypes<EventBusConfig> = {
  servers: "any",
  name: "string",
  maxReconnectAttempts: "number",
  reconnectTimeWait: "number",
  username: "string",
  password: "string",
  token: "string",
  credsFile: "string",
  caCert: "string",
  certFile: "string",
  keyFile: "string",
  inboxPrefix: "string",
  jsDomain: "string",
  replicas: "number",
};

/** @throws TaskError `invalid_request` that names the option */
export function parseOptions(options: EventBusOptions): BusSettings {
  checkOptions(options, { backend: "any", config: "object", logger: "object" });
  const { backend, config = {} } = options;
  if (backend !== "nats") {
    throw invalidInput(
      "backend",
      `${JSON.stringify(backend)} is not supported, as this coordinator is built on NATS: use ` +
        '"nats", with the URLs of NATS servers as config.servers',
    );
  }
  checkOptions(config, CONFIG_OPTIONS, "config.");
  const { servers = DEFAULT_SERVERS, replicas = 1, jsDomain, ...connect } = config;
  const { inboxPrefix, reconnectTimeWait, maxReconnectAttempts = -1 } = connect;
  requireAtLeast("reconnectTimeWait", reconnectTimeWait, 0);
  requireAtLeast("maxReconnectAttempts", maxReconnectAttempts, -1);
  const urls: readonly unknown[] = [servers].flat();
  if (!urls.every((url) => typeof url === "string")) {
    throw invalidInput("config.servers", "must be one URL or a list of them");
  }
  check("servers", urls, parseServers);
  check("inboxPrefix", inboxPrefix, checkInboxPrefix);
  check("jsDomain", jsDomain, checkDomain);
  return { connect: { ...connect, servers: urls }, shared: { replicas, jsDomain } };
}

/** @throws TaskError that names the option */
function check<V>(name: string, value: V | undefined, rule: (value: V) => unknown): void {
  try {
    if (value !== undefined) rule(value);
  } catch (error) {
    if (!(error instanceof ConnectionValueError)) throw error;
    throw invalidInput(`config.${name}`, error.message);
  }
}

function requireAtLeast(name: string, value: number | undefined, least: number): void {
  if (value === undefined || value >= least) return;
  throw invalidInput(`config.${name}`, `must be at least ${least}`);
}
