/** The processes of a run: NATS nodes with JetStream, and workers, each on a host of its own if possible. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { connectNats } from "../../src/nats/connection.ts";
import { createRequester } from "../../src/nats/request.ts";
import { TaskClient } from "../../src/client/task-client.ts";
import { Member } from "./member.ts";
import type { Network } from "./network.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));
const START_TIMEOUT_MS = 60_000;

export interface ClusterOptions {
  readonly nodes: number;
  readonly workers: number;
  readonly binary: string;
  /** Empty; for data and logs. */
  readonly folder: string;
  readonly network: Network | null;
  /** The first of the ports on this machine, where there is no network. */
  readonly firstPort: number;
  /** Variables of the workers, beside or instead of the usual ones. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Whether nodes and workers serve their figures by HTTP, at `figuresUrl`. */
  readonly figures?: boolean;
}

const FIGURES_PORT = 8222;

/** Where a node (its monitoring) or a worker (its metrics) serves its figures. */
export function figuresUrl(options: ClusterOptions, name: string): string {
  return `http://${figuresAddress(options, name).join(":")}`;
}

function figuresAddress(options: ClusterOptions, name: string): [host: string, port: string] {
  const { network, firstPort, nodes } = options;
  if (network !== null) return [network.address(name), String(FIGURES_PORT)];
  // Nodes have two ports each; then come those of the figures, of the nodes and of the workers.
  const place = (name.startsWith("n") ? 0 : nodes) + Number(name.slice(1)) - 1;
  return ["127.0.0.1", String(firstPort + 2 * nodes + place)];
}

export class Cluster implements AsyncDisposable {
  readonly nodes: readonly Member[];
  readonly workers: readonly Member[];
  readonly urls: readonly string[];
  readonly network: Network | null;

  private constructor(nodes: Member[], workers: Member[], urls: string[], network: Network | null) {
    this.nodes = nodes;
    this.workers = workers;
    this.urls = urls;
    this.network = network;
  }

  /** Resolves when the coordinator answers. */
  static async start(options: ClusterOptions): Promise<Cluster> {
    const { network } = options;
    const nodeNames = Array.from({ length: options.nodes }, (_, i) => `n${i + 1}`);
    const workerNames = Array.from({ length: options.workers }, (_, i) => `w${i + 1}`);
    for (const name of network === null ? [] : [...nodeNames, ...workerNames]) {
      await network?.add(name);
    }
    const urls = nodeNames.map((_, i) => `nats://${addressOf(options, i, 0)}`);
    const nodes = nodeNames.map((name, i) => node(options, name, i));
    const workers = workerNames.map((name) => worker(options, name, urls));
    const cluster = new Cluster(nodes, workers, urls, network);
    try {
      for (const member of nodes) member.start();
      await cluster.untilConnected();
      for (const member of workers) member.start();
      await cluster.untilAnswered(START_TIMEOUT_MS);
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Resolves when some node accepts clients. */
  async untilConnected(): Promise<void> {
    const deadline = performance.now() + START_TIMEOUT_MS;
    for (;;) {
      try {
        const connection = await connectNats({ servers: this.urls, name: "start" });
        await connection.close();
        return;
      } catch (error) {
        if (performance.now() > deadline) throw error;
        await delay(100);
      }
    }
  }

  /** How long it took until a worker has written and read a task, in milliseconds. */
  async untilAnswered(timeoutMs: number): Promise<number> {
    const started = performance.now();
    const connection = await connectNats({ servers: this.urls, name: "probe" });
    try {
      const tasks = new TaskClient(createRequester(connection), { timeoutMs: 2_000 });
      const id = `probe-${crypto.randomUUID()}`;
      await tasks.create(id, {}, { deadlineMs: timeoutMs });
      await tasks.cancel(id, {}, { deadlineMs: timeoutMs });
      return performance.now() - started;
    } finally {
      await connection.close();
    }
  }

  /** Everything runs and reaches everything again. */
  async heal(): Promise<void> {
    for (const member of [...this.nodes, ...this.workers]) {
      member.resume();
      member.start();
    }
    await this.network?.heal();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.workers.map((member) => member.kill()));
    await Promise.all(this.nodes.map((member) => member.kill()));
  }
}

/** `port`: 0 for clients, 1 for the other nodes. */
function addressOf({ network, firstPort }: ClusterOptions, i: number, port: 0 | 1): string {
  if (network !== null) return `${network.address(`n${i + 1}`)}:${4222 + port}`;
  return `127.0.0.1:${firstPort + 2 * i + port}`;
}

function node(options: ClusterOptions, name: string, i: number): Member {
  const { binary, folder, network, nodes } = options;
  const data = join(folder, name);
  mkdirSync(data, { recursive: true });
  const [host = "", port = ""] = addressOf(options, i, 0).split(":");
  const routes = Array.from({ length: nodes }, (_, j) => `nats://${addressOf(options, j, 1)}`);
  const clustered =
    nodes === 1
      ? []
      : [
          ...["--cluster_name", "chaos", "--cluster", `nats://${addressOf(options, i, 1)}`],
          ...["--routes", routes.join(",")],
        ];
  const args = ["--name", name, "--addr", host, "--port", port, "--jetstream", "--store_dir", data];
  if (options.figures === true) args.push("--http_port", figuresAddress(options, name)[1]);
  return new Member({
    name,
    command: [...prefix(network, name), binary, ...args, ...clustered] as [string, ...string[]],
    logFile: join(folder, `${name}.log`),
  });
}

function worker(options: ClusterOptions, name: string, urls: readonly string[]): Member {
  const { folder, network, nodes } = options;
  const serve = [process.execPath, MAIN, "serve", "--nats", urls.join(",")];
  const replicas = ["--replicas", String(nodes >= 3 ? 3 : 1)];
  const env = { ...SETTINGS, ...(options.figures === true ? figuresSettings(options, name) : {}) };
  return new Member({
    name,
    command: [...prefix(network, name), ...serve, ...replicas] as [string, ...string[]],
    env: { ...env, ...options.settings },
    logFile: join(folder, `${name}.log`),
  });
}

function figuresSettings(options: ClusterOptions, name: string): Readonly<Record<string, string>> {
  const [host, port] = figuresAddress(options, name);
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
  IF_COORDINATOR_RETRY_BASE_MS: "100",
  IF_COORDINATOR_RETRY_MAX_MS: "1000",
  IF_COORDINATOR_RETENTION_SECONDS: "0",
  IF_COORDINATOR_METRICS_ENABLED: "false",
  IF_COORDINATOR_LOG_FORMAT: "json",
  NO_COLOR: "1",
};

function prefix(network: Network | null, name: string): readonly string[] {
  return network?.prefix(name) ?? [];
}
