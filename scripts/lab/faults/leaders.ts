/** What happens to a node just because it leads a bucket. */
import type { Random } from "../../../src/simulation/random.ts";
import type { Cluster } from "../cluster.ts";
import { leaderOf } from "../leader.ts";
import type { Member } from "../member.ts";
import { type Fault, LONG_MS, pick } from "./fault.ts";
import { cutOff } from "./partitions.ts";
import { killed, paused } from "./processes.ts";

export const LEADER_FAULTS: readonly Fault[] = [
  {
    name: "kill the leader",
    needs: ["several nodes"],
    run: async (cluster, random) => killed([await leader(cluster, random)], random),
  },
  {
    name: "pause the leader",
    needs: ["several nodes"],
    run: async (cluster, random) => paused(await leader(cluster, random), random() * LONG_MS),
  },
  {
    name: "cut off the leader",
    needs: ["several nodes"],
    run: async (cluster, random) => cutOff(cluster, await leader(cluster, random), random),
  },
];

/** Any node while none leads. Draws the same numbers either way. */
async function leader({ nodes, urls }: Cluster, random: Random): Promise<Member> {
  const bucket = pick(["tasks", "leases"], random);
  const other = pick(nodes, random);
  const name = await leaderOf(bucket, urls);
  return nodes.find((node) => node.name === name) ?? other;
}
