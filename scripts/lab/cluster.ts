/**
 * The processes of a run: NATS nodes with JetStream, and workers, each on a host of its own if possible.
 *
 * Workers and sessions reach each node by a link of their own. So do nodes each other where there are no
 * hosts: whatever cannot be done to the network is then done to the links.
 */
import { setTimeout as delay } from "node:timers/promises";
import { connectNats } from "../../src/nats/connection.ts";
import { createRequester } from "../../src/nats/request.ts";
import { TaskClient } from "../../src/client/task-client.ts";
import { QUIET } from "./quiet-logger.ts";
import { intruder, node, type Surroundings, worker } from "./cluster-members.ts";
import type { Disks } from "./disks.ts";
import { figuresAddress } from "./figures-address.ts";
import { Links } from "./links.ts";
import type { Member } from "./member.ts";
import type { Network } from "./network.ts";

const START_TIMEOUT_MS = 60_000;

/** Who connects in the name of all sessions. */
export const SESSIONS = "sessions";

export interface ClusterOptions extends Surroundings {
  readonly nodes: number;
  readonly workers: number;
  /** Of the garbage. Default: 0. */
  readonly seed?: number;
  /** On which the nodes keep their data. Default: none that can be filled. */
  readonly disks?: Disks | null;
  /** Default: they cannot. */
  readonly canSlowDisks?: boolean;
  /** The first of the ports on this machine, where there is no network. */
  readonly firstPort: number;
  /** Whether all reach each other directly, as for measurements. Default: by links. */
  readonly isDirect?: boolean;
}

export class Cluster implements AsyncDisposable {
  readonly nodes: readonly Member[];
  readonly workers: readonly Member[];
  /** Sends garbage to all endpoints; it is for the run to start it. */
  readonly intruder: Member;
  /** Of the nodes. */
  readonly urls: readonly string[];
  /** The ways on which sessions reach the nodes. */
  readonly sessionUrls: readonly string[];
  readonly links: Links;
  readonly hasLinks: boolean;
  readonly disks: Disks | null;
  readonly canSlowDisks: boolean;
  readonly #network: Network | null;

  private constructor(options: ClusterOptions, parts: Parts) {
    this.nodes = parts.nodes;
    this.workers = parts.workers;
    this.urls = parts.urls;
    this.sessionUrls = parts.sessionUrls;
    this.links = parts.links;
    this.intruder = intruder(options, parts.urls, options.seed ?? 0);
    this.disks = options.disks ?? null;
    this.canSlowDisks = options.canSlowDisks ?? false;
    this.hasLinks = options.isDirect !== true;
    this.#network = options.network;
  }

  /** Resolves when the coordinator answers. */
  static async start(options: ClusterOptions): Promise<Cluster> {
    const cluster = new Cluster(options, await placed(options));
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

  /** Whether there is something that can be cut between them. */
  get canCut(): boolean {
    return this.#network !== null || this.hasLinks;
  }

  /** Cuts a node or a worker off from all others; resolves to a function that ends it. */
  async cutOff({ name }: Member): Promise<() => Promise<void>> {
    if (this.#network !== null) return await this.#network.unplug(name);
    return asynchronous(this.links.cutOff(name));
  }

  /** What one node says does not reach the other; resolves to a function that ends it. */
  async block(from: Member, to: Member): Promise<() => Promise<void>> {
    if (this.#network !== null) return await this.#network.block(from.name, to.name);
    return asynchronous(this.links.block(from.name, to.name));
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
      const requester = createRequester(connection);
      const tasks = new TaskClient(requester, { timeoutMs: 2_000, logger: QUIET });
      const id = `probe-${crypto.randomUUID()}`;
      await tasks.create(id, {}, { deadlineMs: timeoutMs });
      await tasks.cancel(id, {}, { deadlineMs: timeoutMs });
      return performance.now() - started;
    } finally {
      await connection.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.workers, this.intruder].map((member) => member.retire()));
    await Promise.all(this.nodes.map((member) => member.retire()));
    await this.links[Symbol.asyncDispose]();
  }
}

interface Parts {
  readonly nodes: readonly Member[];
  readonly workers: readonly Member[];
  readonly urls: readonly string[];
  readonly sessionUrls: readonly string[];
  readonly links: Links;
}

/** All that is to be started, and the ways between. */
async function placed(options: ClusterOptions): Promise<Parts> {
  const { network, firstPort, isDirect = false } = options;
  const nodeNames = nodeNamesOf(options.nodes);
  const workerNames = namesOf("w", options.workers);
  for (const name of network === null ? [] : [...nodeNames, ...workerNames]) {
    await network?.add(name);
  }
  /** `port`: 0 for clients, 1 for the other nodes. */
  const address = (name: string, port: 0 | 1): string => {
    if (network !== null) return `${network.address(name)}:${4222 + port}`;
    return `127.0.0.1:${firstPort + 2 * nodeNames.indexOf(name) + port}`;
  };
  const links = new Links(network?.ownAddress ?? "127.0.0.1");
  const wayTo = (from: string, to: string, port: 0 | 1): Promise<string> | string =>
    isDirect ? address(to, port) : links.add(from, to, address(to, port));
  const urlsFor = async (client: string): Promise<string[]> => {
    const urls: string[] = [];
    for (const name of nodeNames) urls.push(`nats://${await wayTo(client, name, 0)}`);
    return urls;
  };
  const nodes: Member[] = [];
  for (const name of nodeNames) {
    const routes: string[] = [];
    for (const other of nodeNames.filter((one) => one !== name)) {
      routes.push(network === null ? await wayTo(name, other, 1) : address(other, 1));
    }
    const [own, clusterAddress] = [address(name, 0), address(name, 1)];
    const placing = { name, address: own, clusterAddress, routes };
    nodes.push(node(options, placing, figuresAddress(options, name)));
  }
  const replicas = options.nodes >= 3 ? 3 : 1;
  const workers: Member[] = [];
  for (const name of workerNames) {
    const placing = { name, urls: await urlsFor(name), replicas };
    workers.push(worker(options, placing, figuresAddress(options, name)));
  }
  const urls = nodeNames.map((name) => `nats://${address(name, 0)}`);
  return { nodes, workers, urls, sessionUrls: await urlsFor(SESSIONS), links };
}

export function nodeNamesOf(count: number): string[] {
  return namesOf("n", count);
}

function namesOf(letter: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${letter}${i + 1}`);
}

function asynchronous(end: () => void): () => Promise<void> {
  return () => {
    end();
    return Promise.resolve();
  };
}
