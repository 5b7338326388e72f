/** Processes that cannot reach each other, and connections that are slow, stand still or break. */
import { setTimeout as delay } from "node:timers/promises";
import type { Random } from "../../../src/simulation/random.ts";
import { type Cluster, SESSIONS } from "../cluster.ts";
import type { Member } from "../member.ts";
import { between, type Fault, fault, length, pick } from "./fault.ts";

type End = () => unknown;

export const CONNECTION_FAULTS: readonly Fault[] = [
  fault("cut off a node", ["something to cut"], (cluster, random) =>
    cutOff(cluster, pick(cluster.nodes, random), random),
  ),
  fault("cut off a worker", ["something to cut"], (cluster, random) =>
    cutOff(cluster, pick(cluster.workers, random), random),
  ),
  fault(
    "one node does not reach another",
    ["several nodes", "something to cut"],
    async (cluster, random) => {
      const from = pick(cluster.nodes, random);
      const others = cluster.nodes.filter((node) => node !== from);
      await lasting(random, await cluster.block(from, pick(others, random)));
    },
  ),
  fault("delayed connections", ["links"], (cluster, random) => {
    const delayMs = between(10, 300, random);
    const slowness = { delayMs, jitterMs: delayMs, bytesPerSecond: Infinity };
    return lasting(random, cluster.links.slowDown(anyHost(cluster, random), slowness));
  }),
  fault("narrow connections", ["links"], (cluster, random) => {
    const bytesPerSecond = between(2_000, 50_000, random);
    const slowness = { delayMs: 0, jitterMs: 0, bytesPerSecond };
    return lasting(random, cluster.links.slowDown(anyHost(cluster, random), slowness));
  }),
  fault("a worker does not reach one node", ["links"], ({ links, nodes, workers }, random) =>
    lasting(random, links.block(pick(workers, random).name, pick(nodes, random).name)),
  ),
  fault("one node does not reach a worker", ["links"], ({ links, nodes, workers }, random) =>
    lasting(random, links.block(pick(nodes, random).name, pick(workers, random).name)),
  ),
  fault("half-open connections", ["links"], ({ links, nodes, workers }, random) => {
    const client = pick([SESSIONS, ...workers.map(({ name }) => name)], random);
    const { name } = pick(nodes, random);
    return lasting(random, links.block(client, name), links.block(name, client));
  }),
  fault("broken connections", ["links"], async (cluster, random) => {
    const host = anyHost(cluster, random);
    for (let left = Math.ceil(random() * 10); left > 0; left--) {
      cluster.links.breakConnections(host);
      await delay(random() * 1_000);
    }
  }),
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
