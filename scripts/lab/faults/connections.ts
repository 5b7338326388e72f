/** Connections that are slow, stand still without being closed, or break. */
import { setTimeout as delay } from "node:timers/promises";
import type { Random } from "../../../src/simulation/random.ts";
import { type Cluster, SESSIONS } from "../cluster.ts";
import { between, type Fault, LONG_MS, pick } from "./fault.ts";

export const CONNECTION_FAULTS: readonly Fault[] = [
  {
    name: "delayed connections",
    needs: ["links"],
    run: (cluster, random) => {
      const delayMs = between(10, 300, random);
      return slow(cluster, random, { delayMs, jitterMs: delayMs, bytesPerSecond: Infinity });
    },
  },
  {
    name: "narrow connections",
    needs: ["links"],
    run: (cluster, random) => {
      const bytesPerSecond = between(2_000, 50_000, random);
      return slow(cluster, random, { delayMs: 0, jitterMs: 0, bytesPerSecond });
    },
  },
  {
    name: "a worker does not reach one node",
    needs: ["links"],
    run: (cluster, random) => {
      const [worker, node] = [pick(cluster.workers, random), pick(cluster.nodes, random)];
      return standingStill([cluster.links.block(worker.name, node.name)], random);
    },
  },
  {
    name: "one node does not reach a worker",
    needs: ["links"],
    run: (cluster, random) => {
      const [worker, node] = [pick(cluster.workers, random), pick(cluster.nodes, random)];
      return standingStill([cluster.links.block(node.name, worker.name)], random);
    },
  },
  {
    name: "half-open connections",
    needs: ["links"],
    run: ({ links, nodes, workers }, random) => {
      const client = pick([SESSIONS, ...workers.map(({ name }) => name)], random);
      const { name } = pick(nodes, random);
      return standingStill([links.block(client, name), links.block(name, client)], random);
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

async function slow(
  cluster: Cluster,
  random: Random,
  slowness: Parameters<Cluster["links"]["slowDown"]>[1],
): Promise<void> {
  const end = cluster.links.slowDown(anyHost(cluster, random), slowness);
  await delay(random() * LONG_MS);
  end();
}

async function standingStill(ends: readonly (() => void)[], random: Random): Promise<void> {
  await delay(random() * LONG_MS);
  for (const end of ends) end();
}

/** Whose connections can be slow or break: those of all sessions, of a worker or of a node. */
function anyHost({ nodes, workers }: Cluster, random: Random): string {
  return pick([SESSIONS, ...[...nodes, ...workers].map(({ name }) => name)], random);
}
