/** How the processes of a run are started: the nodes, the workers and the sender of garbage. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Member, type MemberOptions } from "./member.ts";
import { WALLED_CONFIG, WALLED_SETTINGS } from "./walled-accounts.ts";
import type { Network } from "./network.ts";

const WORKER = fileURLToPath(new URL("worker.js", import.meta.url));
const INTRUDER = fileURLToPath(new URL("intruder.js", import.meta.url));

export interface Surroundings {
  readonly binary: string;
  /** For data and logs. */
  readonly folder: string;
  readonly network: Network | null;
  /** Environment variables of the workers, in addition to or instead of the usual ones. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Whether nodes and workers serve their figures by HTTP (`Cluster.figuresUrl`). */
  readonly figures?: boolean;
  /** More configuration for nats-server. */
  readonly serverConfig?: string;
  /**
   * The sessions of the run, if only agents and operators with an account are served, and the sender of garbage is
   * such an agent. Default: everybody is served.
   */
  readonly walledFrom?: readonly string[];
}

export interface NodeOptions {
  readonly name: string;
  /** For clients. */
  readonly address: string;
  /** For the other nodes. */
  readonly clusterAddress: string;
  /** The addresses at which this node reaches the other nodes. Empty for a single node. */
  readonly routes: readonly string[];
  readonly figuresAddress: string;
}

/** Refuses every connection at once. */
const NOWHERE = "127.0.0.1:1";

export function node(
  around: Surroundings,
  { name, address, clusterAddress, routes, figuresAddress }: NodeOptions,
): Member {
  const { binary, folder } = around;
  const serverConfig = configOf(around);
  const data = join(folder, name);
  mkdirSync(data, { recursive: true });
  const [host = "", port = ""] = address.split(":");
  const args = ["--name", name, "--addr", host, "--port", port, "--jetstream", "--store_dir", data];
  if (routes.length > 0) {
    args.push("--cluster_name", "chaos", "--cluster", `nats://${clusterAddress}`);
    args.push("--routes", routes.map((route) => `nats://${route}`).join(","));
    // Without this, nodes and clients learn addresses that lead past the links.
    args.push("--no_advertise", "--cluster_advertise", NOWHERE);
  }
  if (around.figures === true) args.push("--http_port", figuresAddress.split(":")[1] ?? "");
  if (serverConfig !== undefined) {
    const file = join(folder, `${name}.conf`);
    writeFileSync(file, serverConfig);
    args.push("--config", file);
  }
  return member(around, { name, command: [binary, ...args] });
}

function configOf({ serverConfig, walledFrom }: Surroundings): string | undefined {
  return walledFrom === undefined ? serverConfig : `${serverConfig ?? ""}${WALLED_CONFIG}`;
}

export interface WorkerOptions {
  readonly name: string;
  readonly urls: readonly string[];
  readonly replicas: number;
  readonly figuresAddress: string;
}

export function worker(
  around: Surroundings,
  { name, urls, replicas, figuresAddress }: WorkerOptions,
): Member {
  const [host = "", port = ""] = figuresAddress.split(":");
  const env = {
    ...SETTINGS,
    IF_COORDINATOR_METRICS_ENABLED: String(around.figures === true),
    IF_COORDINATOR_METRICS_HOST: host,
    IF_COORDINATOR_METRICS_PORT: port,
    ...(around.walledFrom === undefined ? {} : WALLED_SETTINGS),
    ...around.settings,
    IF_COORDINATOR_NATS_SERVERS: urls.join(","),
    IF_COORDINATOR_REPLICAS: String(replicas),
  };
  const command = [process.execPath, WORKER] as const;
  return member(around, { name, command, env, hasChannel: true });
}

export function intruder(
  { folder, walledFrom = [] }: Surroundings,
  urls: readonly string[],
  seed: number,
): Member {
  const command = [
    process.execPath,
    INTRUDER,
    String(seed),
    walledFrom.join(","),
    ...urls,
  ] as const;
  return member({ folder, network: null }, { name: "intruder", command, hasChannel: true });
}

/** The whole history is kept, and no task is given up. */
const SETTINGS = {
  IF_COORDINATOR_HISTORY: "64",
  IF_COORDINATOR_MAX_FAILURES: "1000",
  IF_COORDINATOR_MAX_LOST_LEASES: "0",
  IF_COORDINATOR_RETRY_BASE_MS: "100",
  IF_COORDINATOR_RETRY_MAX_MS: "1000",
  IF_COORDINATOR_RETENTION_SECONDS: "0",
  IF_COORDINATOR_LOG_FORMAT: "json",
  NO_COLOR: "1",
};

/** On its own host if there is a network. */
function member(
  { folder, network }: Pick<Surroundings, "folder" | "network">,
  { name, command, ...options }: Omit<MemberOptions, "logFile">,
): Member {
  const [first, ...rest] = network?.prefix(name) ?? command;
  const onHost = network === null ? command : ([first, ...rest, ...command] as const);
  return new Member({ ...options, name, command: onHost, logFile: join(folder, `${name}.log`) });
}
