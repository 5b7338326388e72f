/** How the processes of a run are started: nodes, workers, and whoever sends garbage. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Member, type MemberOptions } from "./member.ts";
import type { Network } from "./network.ts";

type Command = MemberOptions["command"];

const WORKER = fileURLToPath(new URL("worker.js", import.meta.url));
const INTRUDER = fileURLToPath(new URL("intruder.js", import.meta.url));

export interface Surroundings {
  readonly binary: string;
  /** For data and logs. */
  readonly folder: string;
  readonly network: Network | null;
  /** Variables of the workers, beside or instead of the usual ones. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Whether nodes and workers serve their figures by HTTP (`figuresUrl`). */
  readonly figures?: boolean;
  /** More of nats-server's configuration. */
  readonly serverConfig?: string;
}

export interface NodeOptions {
  readonly name: string;
  /** For clients. */
  readonly address: string;
  /** For the other nodes. */
  readonly clusterAddress: string;
  /** Addresses at which it reaches the other nodes; none: it is alone. */
  readonly routes: readonly string[];
}

export function node(around: Surroundings, options: NodeOptions, figuresAt: string): Member {
  const { binary, folder, network, serverConfig } = around;
  const { name, address, clusterAddress, routes } = options;
  const data = join(folder, name);
  mkdirSync(data, { recursive: true });
  const [host = "", port = ""] = address.split(":");
  const clustered =
    routes.length === 0
      ? []
      : [
          ...["--cluster_name", "chaos", "--cluster", `nats://${clusterAddress}`],
          ...["--routes", routes.map((route) => `nats://${route}`).join(",")],
          // Nobody is told of an address that leads past the links.
          ...["--no_advertise", "--cluster_advertise", NOWHERE],
        ];
  const args = ["--name", name, "--addr", host, "--port", port, "--jetstream", "--store_dir", data];
  if (around.figures === true) args.push("--http_port", figuresAt.split(":")[1] ?? "");
  if (serverConfig !== undefined) {
    const file = join(folder, `${name}.conf`);
    writeFileSync(file, serverConfig);
    args.push("--config", file);
  }
  return new Member({
    name,
    command: on(network, name, [binary, ...args, ...clustered]),
    logFile: join(folder, `${name}.log`),
  });
}

/** Refuses at once. */
const NOWHERE = "127.0.0.1:1";

export interface WorkerOptions {
  readonly name: string;
  readonly urls: readonly string[];
  readonly replicas: number;
}

export function worker(
  { folder, network, figures, settings }: Surroundings,
  { name, urls, replicas }: WorkerOptions,
  figuresAt: string,
): Member {
  return new Member({
    name,
    command: on(network, name, [process.execPath, WORKER]),
    env: {
      ...SETTINGS,
      ...(figures === true ? figuresSettings(figuresAt) : {}),
      ...settings,
      IF_COORDINATOR_NATS_SERVERS: urls.join(","),
      IF_COORDINATOR_REPLICAS: String(replicas),
    },
    logFile: join(folder, `${name}.log`),
    hasChannel: true,
  });
}

export function intruder({ folder }: Surroundings, urls: readonly string[], seed: number): Member {
  return new Member({
    name: "intruder",
    command: [process.execPath, INTRUDER, String(seed), ...urls],
    logFile: join(folder, "intruder.log"),
    hasChannel: true,
  });
}

function figuresSettings(address: string): Readonly<Record<string, string>> {
  const [host = "", port = ""] = address.split(":");
  return {
    IF_COORDINATOR_METRICS_ENABLED: "true",
    IF_COORDINATOR_METRICS_HOST: host,
    IF_COORDINATOR_METRICS_PORT: port,
  };
}

/** History is kept whole, and a task is not given up. */
const SETTINGS = {
  IF_COORDINATOR_HISTORY: "64",
  IF_COORDINATOR_MAX_FAILURES: "1000",
  IF_COORDINATOR_MAX_LOST_LEASES: "0",
  IF_COORDINATOR_RETRY_BASE_MS: "100",
  IF_COORDINATOR_RETRY_MAX_MS: "1000",
  IF_COORDINATOR_RETENTION_SECONDS: "0",
  IF_COORDINATOR_METRICS_ENABLED: "false",
  IF_COORDINATOR_LOG_FORMAT: "json",
  NO_COLOR: "1",
};

function on(network: Network | null, name: string, command: Command): Command {
  if (network === null) return command;
  const [first, ...rest] = network.prefix(name);
  return [first, ...rest, ...command];
}
