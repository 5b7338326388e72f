/**
 * The processes of a run: NATS nodes with JetStream, and workers, each on its own host if possible.
 *
 * Workers and sessions reach each node through a link. Without hosts, the nodes reach each other through
 * links too, and the faults of the network happen to the links.
 */
import { setTimeout as delay } from "node:timers/promises";
import { connectNats } from "../../src/nats/connection.ts";
import { TaskConnection } from "./clients.ts";
import { intruder, node, type Surroundings, worker } from "./cluster-members.ts";
import type { Disks } from "./disks.ts";
import { Links } from "./links.ts";
import type { Member } from "./member.ts";
import type { Network } from "./network.ts";
import { HOST, takePorts } from "./ports.ts";

const START_TIMEOUT_MS = 60_000;

/** The name under which all sessions connect. */
export const SESSIONS = "sessions";

export interface ClusterOptions extends Surroundings {
  readonly nodes: number;
  readonly workers: number;
  /** Of the garbage. Default: 0. */
  readonly seed?: number;
  /** For the data of the nodes. Default: the disk of this machine, which is never full. */
  readonly disks?: Disks | null;
  /** Default: false. */
  readonly canSlowDisks?: boolean;
  /** Whether all reach each other without links, for measurements. Default: false. */
  readonly isDirect?: boolean;
}

export class Cluster implements AsyncDisposable {
  readonly nodes: readonly Member[];
  readonly workers: readonly Member[];
  /** Sends garbage to all endpoints. The run starts it. */
  readonly intruder: Member;
  /** Of the nodes. */
  readonly urls: readonly string[];
  /** The URLs through which sessions reach the nodes. */
  readonly sessionUrls: readonly string[];
  readonly links: Links;
  readonly hasLinks: boolean;
  readonly disks: Disks | null;
  readonly canSlowDisks: boolean;
  readonly #network: Network | null;
  readonly #addresses: Addresses;

  private constructor(options: ClusterOptions, parts: Parts) {
    this.nodes = parts.nodes;
    this.workers = parts.workers;
    this.urls = parts.urls;
    this.sessionUrls = parts.sessionUrls;
    this.links = parts.links;
    this.#addresses = parts.addresses;
    this.intruder = intruder(options, parts.urls, options.seed ?? 0);
    this.disks = options.disks ?? null;
    this.canSlowDisks = options.canSlowDisks ?? false;
    this.hasLinks = options.isDirect !== true;
    this.#network = options.network;
  }

  /** Resolves when the coordinator answers. */
  static async start(options: ClusterOptions): Promise<Cluster> {
    const cluster = new Cluster(options, await prepare(options));
    try {
      for (const member of cluster.nodes) member.start();
      await cluster.untilConnected();
      for (const member of cluster.workers) member.start();
      await cluster.untilAnswered(START_TIMEOUT_MS);
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Where a node serves its monitoring, and a worker its metrics. */
  figuresUrl(name: string): string {
    return `http://${this.#addresses.figures(name)}`;
  }

  /** Whether connections between the processes can be cut. */
  get canCut(): boolean {
    return this.#network !== null || this.hasLinks;
  }

  /** Cuts a node or a worker off from all others. The returned function ends it. */
  async cutOff({ name }: Member): Promise<() => Promise<void>> {
    if (this.#network !== null) return await this.#network.unplug(name);
    return asynchronous(this.links.cutOff(name));
  }

  /** Stops what `from` sends to `to`. The returned function ends it. */
  async block(from: Member, to: Member): Promise<() => Promise<void>> {
    if (this.#network !== null) return await this.#network.block(from.name, to.name);
    return asynchronous(this.links.block(from.name, to.name));
  }

  /** Resolves when a node accepts clients. */
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

  /** Milliseconds until a worker had written and read a task. */
  async untilAnswered(timeoutMs: number): Promise<number> {
    const started = performance.now();
    await using client = await TaskConnection.open(this.urls, "probe", { timeoutMs: 2_000 });
    const id = `probe-${crypto.randomUUID()}`;
    await client.tasks.create(id, {}, { deadlineMs: timeoutMs });
    await client.tasks.cancel(id, {}, { deadlineMs: timeoutMs });
    return performance.now() - started;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.workers, this.intruder].map((member) => member.retire()));
    await Promise.all(this.nodes.map((member) => member.retire()));
    await this.links[Symbol.asyncDispose]();
  }
}

type Addresses = Awaited<ReturnType<typeof addressesOf>>;

/** Where each process listens: at its own host, or at ports of this machine. */
async function addressesOf({ network, nodes, workers }: ClusterOptions) {
  const firstPort = network === null ? await takePorts(3 * nodes + workers) : 0;
  const at = (name: string, port: number, offset: number): string =>
    network === null ? `${HOST}:${firstPort + offset}` : `${network.address(name)}:${port}`;
  return {
    /** Of a node, for clients. */
    client: (name: string) => at(name, 4222, 2 * placeOf(name)),
    /** Of a node, for the other nodes. */
    cluster: (name: string) => at(name, 4223, 2 * placeOf(name) + 1),
    /** Of a node (its monitoring) or a worker (its metrics). */
    figures: (name: string) =>
      at(name, 8222, placeOf(name) + (name.startsWith("n") ? 2 : 3) * nodes),
  };
}

interface Parts extends Pick<Cluster, "nodes" | "workers" | "urls" | "sessionUrls" | "links"> {
  readonly addresses: Addresses;
}

/** All processes, before their start, and the links between them. */
async function prepare(options: ClusterOptions): Promise<Parts> {
  const { network, isDirect = false } = options;
  const nodeNames = nodeNamesOf(options.nodes);
  const workerNames = namesOf("w", options.workers);
  for (const name of [...nodeNames, ...workerNames]) await network?.add(name);
  const addresses = await addressesOf(options);
  const links = new Links(network?.ownAddress ?? "127.0.0.1");
  const linked = async (from: string, to: string, address: string): Promise<string> =>
    isDirect ? address : await links.add(from, to, address);
  const urlsFor = async (client: string): Promise<string[]> => {
    const urls: string[] = [];
    for (const name of nodeNames) {
      urls.push(`nats://${await linked(client, name, addresses.client(name))}`);
    }
    return urls;
  };
  const nodes: Member[] = [];
  for (const name of nodeNames) {
    const routes: string[] = [];
    for (const other of nodeNames.filter((one) => one !== name)) {
      const address = addresses.cluster(other);
      routes.push(network === null ? await linked(name, other, address) : address);
    }
    const [address, clusterAddress] = [addresses.client(name), addresses.cluster(name)];
    const figuresAddress = addresses.figures(name);
    nodes.push(node(options, { name, address, clusterAddress, routes, figuresAddress }));
  }
  const replicas = options.nodes >= 3 ? 3 : 1;
  const workers: Member[] = [];
  for (const name of workerNames) {
    const [urls, figuresAddress] = [await urlsFor(name), addresses.figures(name)];
    workers.push(worker(options, { name, urls, replicas, figuresAddress }));
  }
  const urls = nodeNames.map((name) => `nats://${addresses.client(name)}`);
  return { nodes, workers, urls, sessionUrls: await urlsFor(SESSIONS), links, addresses };
}

export function nodeNamesOf(count: number): string[] {
  return namesOf("n", count);
}

function namesOf(letter: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${letter}${i + 1}`);
}

/** From 0 on, among the processes of the same kind. */
function placeOf(name: string): number {
  return Number(name.slice(1)) - 1;
}

function asynchronous(end: () => void): () => Promise<void> {
  return () => {
    end();
    return Promise.resolve();
  };
}
