/** Processes that do not reach each other. */
import { setTimeout as delay } from "node:timers/promises";
import type { Random } from "../../../src/simulation/random.ts";
import type { Cluster } from "../cluster.ts";
import type { Member } from "../member.ts";
import { type Fault, LONG_MS, pick } from "./fault.ts";

export const PARTITION_FAULTS: readonly Fault[] = [
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
      const end = await cluster.block(from, pick(others, random));
      await delay(random() * LONG_MS);
      await end();
    },
  },
];

export async function cutOff(cluster: Cluster, member: Member, random: Random): Promise<void> {
  const end = await cluster.cutOff(member);
  await delay(random() * LONG_MS);
  await end();
}
