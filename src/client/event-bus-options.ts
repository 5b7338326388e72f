/** What an event bus can be made with, checked before anything is connected. */
import type { ConnectOptions } from "../nats/connection.ts";
import { invalidInput } from "./task-error.ts";

/** How to reach the NATS servers. Everything can be left out. */
export interface EventBusConfig extends Omit<ConnectOptions, "servers"> {
  /** One URL or several of one cluster. Default `nats://127.0.0.1:4222`. */
  readonly servers?: string | readonly string[];
  /** Replicas of the bucket `shared`, if this bus is the first to use it. Default 1. */
  readonly replicas?: number;
}

/** The backends of the seed; only `nats` is supported. */
export type Backend = "nats" | "etcd";

/** What an event bus is made with. */
export interface EventBusOptions {
  /** `nats`. */
  readonly backend: Backend;
  /** Default: a server on this machine. */
  readonly config?: EventBusConfig;
}

export interface BusSettings {
  readonly connect: ConnectOptions;
  readonly replicas: number;
}

const DEFAULT_SERVERS = ["nats://127.0.0.1:4222"];

const TYPES: Readonly<Record<keyof EventBusConfig, "servers" | "string" | "number">> = {
  servers: "servers",
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
  replicas: "number",
};

/** @throws TaskError `invalid_request` that names the option */
export function parseOptions({ backend, config = {} }: EventBusOptions): BusSettings {
  if (backend !== "nats") {
    throw invalidInput(
      "backend",
      `"${backend as string}" is not supported: use "nats", with the URLs of NATS servers as config.servers`,
    );
  }
  for (const [name, value] of Object.entries(config)) {
    if (!Object.hasOwn(TYPES, name)) {
      throw invalidInput(
        `config.${name}`,
        `is no option; there are ${Object.keys(TYPES).join(", ")}`,
      );
    }
    const type = TYPES[name as keyof EventBusConfig];
    if (value !== undefined && !isOf(type, value)) {
      const wanted = type === "servers" ? "one URL or a list of them" : `a ${type}`;
      throw invalidInput(`config.${name}`, `must be ${wanted}`);
    }
  }
  const { servers = DEFAULT_SERVERS, replicas = 1, ...connect } = config;
  return { connect: { ...connect, servers: [servers].flat() }, replicas };
}

function isOf(type: "servers" | "string" | "number", value: unknown): boolean {
  if (type !== "servers") return typeof value === type;
  const urls: unknown[] = [value].flat();
  return urls.length > 0 && urls.every((url) => typeof url === "string" && url !== "");
}
