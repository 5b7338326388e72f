/** Disks that are full or slow. */
import { setTimeout as delay } from "node:timers/promises";
import type { Cluster } from "../cluster.ts";
import { leaderOf } from "../leader.ts";
import type { Member } from "../member.ts";
import { slowDisk } from "../slow-disk.ts";
import { between, type Fault, LONG_MS, pick } from "./fault.ts";
import { leader } from "./leaders.ts";

export const DISK_FAULTS: readonly Fault[] = [
  {
    name: "full disk",
    needs: ["disks"],
    run: async (cluster, random) => {
      const { nodes } = cluster;
      const ms = random() * LONG_MS;
      const node = nodes.length === 1 ? nodes[0] : await idleNode(cluster);
      // While nobody leads, anybody may do so in a moment.
      if (node !== undefined) await full(cluster, node, ms);
    },
  },
  {
    /**
     * nats-server 2.14.0 does not survive it: a leader that cannot store what the cluster has agreed on
     * goes on to answer by what it has stored itself, and two claims get one attempt.
     */
    name: "full disk of the leader",
    needs: ["disks", "several nodes"],
    isBeyondGuarantees: true,
    run: async (cluster, random) => {
      await full(cluster, await leader(cluster, random), random() * LONG_MS);
    },
  },
  {
    name: "slow disk",
    needs: ["slow disks"],
    run: async ({ nodes }, random) => {
      const { pid } = pick(nodes, random);
      const [delayMs, ms] = [between(5, 100, random), random() * LONG_MS];
      if (pid === undefined) return;
      const end = await slowDisk(pid, delayMs);
      await delay(ms);
      await end();
    },
  },
];

/**
 * A node whose disk was full writes no more to the streams concerned, even with room again, until it
 * is started anew: the operator makes room and restarts it, and so does this.
 */
async function full({ disks }: Cluster, node: Member, ms: number): Promise<void> {
  const end = node.excuse();
  try {
    await disks?.fill(node.name);
    await delay(ms);
  } finally {
    await disks?.free(node.name);
    await node.kill();
    node.start();
    end();
  }
}

/** One that leads neither tasks nor leases. */
async function idleNode({ nodes, urls }: Cluster): Promise<Member | undefined> {
  const leaders = await Promise.all(["tasks", "leases"].map((bucket) => leaderOf(bucket, urls)));
  if (leaders.includes(null)) return undefined;
  return nodes.find(({ name }) => !leaders.includes(name));
}
