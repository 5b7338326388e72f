/** Processes that cannot reach each other, and connections that are slow, stand still or break. */
import { setTimeout as delay } from "node:timers/promises";
import type { Random } from "../../../src/simulation/random.ts";
import { type Cluster, SESSIONS } from "../cluster.ts";
import type { Member } from "../member.ts";
import { between, type Fault, length, pick } from "./fault.ts";

type End = () => unknown;

export const CONNECTION_FAULTS: readonly Fault[] = [
  {
    name: "cut off a node",
    needs: ["something to cut"],
    run: (cluster, random) => cutOff(cluster, pick(cluster.nodes, random), random),
  },
  {
    name: "cut off a worker",
    needs: ["something to cut"],
    run: (cluster, random) => cutOff(cluster, pick(cluster.workers, random), random),
  },
  {
    name: "one node does not reach another",
    needs: ["several nodes", "something to cut"],
    run: async (cluster, random) => {
      const from = pick(cluster.nodes, random);
      const others = cluster.nodes.filter((node) => node !== from);
      await lasting(random, await cluster.block(from, pick(others, random)));
    },
  },
  {
    name: "delayed connections",
    needs: ["links"],
    run: async (cluster, random) => {
      const delayMs = between(10, 300, random);
      const slowness = { delayMs, jitterMs: delayMs, bytesPerSecond: Infinity };
      await lasting(random, cluster.links.slowDown(anyHost(cluster, random), slowness));
    },
  },
  {
    name: "narrow connections",
    needs: ["links"],
    run: async (cluster, random) => {
      const bytesPerSecond = between(2_000, 50_000, random);
      const slowness = { delayMs: 0, jitterMs: 0, bytesPerSecond };
      await lasting(random, cluster.links.slowDown(anyHost(cluster, random), slowness));
    },
  },
  {
    name: "a worker does not reach one node",
    needs: ["links"],
    run: async ({ links, nodes, workers }, random) => {
      const [worker, node] = [pick(workers, random), pick(nodes, random)];
      await lasting(random, links.block(worker.name, node.name));
    },
  },
  {
    name: "one node does not reach a worker",
    needs: ["links"],
    run: async ({ links, nodes, workers }, random) => {
      const [worker, node] = [pick(workers, random), pick(nodes, random)];
      await lasting(random, links.block(node.name, worker.name));
    },
  },
  {
    name: "half-open connections",
    needs: ["links"],
    run: async ({ links, nodes, workers }, random) => {
      const client = pick([SESSIONS, ...workers.map(({ name }) => name)], random);
      const { name } = pick(nodes, random);
      await lasting(random, links.block(client, name), links.block(name, client));
    },
  },
  {
    name: "broken connections",
    needs: ["links"],
    run: async (cluster, random) => {
      const host = anyHost(cluster, random);
      for (let left = Math.ceil(random() * 10); left > 0; left--) {
        cluster.links.breakConnections(host);
        await delay(random() * 1_000);
      }
    },
  },
];

export async function cutOff(cluster: Cluster, member: Member, random: Random): Promise<void> {
  await lasting(random, await cluster.cutOff(member));
}

async function lasting(random: Random, ...ends: readonly End[]): Promise<void> {
  await delay(length(random));
  for (const end of ends) await end();
}

/** The owner of the connections: all sessions, a worker or a node. */
function anyHost({ nodes, workers }: Cluster, random: Random): string {
  return pick([SESSIONS, ...[...nodes, ...workers].map(({ name }) => name)], random);
}
