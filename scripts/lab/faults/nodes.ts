/** Faults of NATS nodes: of the node that leads a bucket, and of disks that are full or slow. */
import { setTimeout as delay } from "node:timers/promises";
import type { Random } from "../../../src/simulation/random.ts";
import type { Cluster } from "../cluster.ts";
import { leaderOf } from "../leader.ts";
import type { Member } from "../member.ts";
import { slowDisk } from "../slow-disk.ts";
import { cutOff } from "./connections.ts";
import { between, type Fault, fault, length, pick } from "./fault.ts";
import { kill, pause } from "./processes.ts";

export const NODE_FAULTS: readonly Fault[] = [
  fault("kill the leader", ["several nodes"], async (cluster, random) =>
    kill([await leader(cluster, random)], random),
  ),
  fault("pause the leader", ["several nodes"], async (cluster, random) =>
    pause(await leader(cluster, random), length(random)),
  ),
  fault("cut off the leader", ["several nodes"], async (cluster, random) =>
    cutOff(cluster, await leader(cluster, random), random),
  ),
  fault("full disk", ["disks", "a single node"], fillDisk),
  {
    // With nats-server 2.14.0, the nodes then store something else than they have agreed on.
    ...fault("full disk in a cluster", ["disks", "several nodes"], fillDisk),
    isBeyondGuarantees: true,
  },
  fault("slow disk", ["slow disks"], async ({ nodes }, random) => {
    const { pid } = pick(nodes, random);
    const [delayMs, ms] = [between(5, 100, random), length(random)];
    if (pid === undefined) return;
    const end = await slowDisk(pid, delayMs);
    await delay(ms);
    await end();
  }),
];

/** Any node while there is no leader. Draws as many numbers in both cases. */
async function leader({ nodes, urls }: Cluster, random: Random): Promise<Member> {
  const bucket = pick(["tasks", "leases"], random);
  const other = pick(nodes, random);
  const name = await leaderOf(bucket, urls);
  return nodes.find((node) => node.name === name) ?? other;
}

/**
 * A node whose disk was full no longer writes to the streams concerned, even when there is room again,
 * until it is restarted. The operator makes room and restarts it, and so does this fault.
 */
async function fillDisk({ disks, nodes }: Cluster, random: Random): Promise<void> {
  const node = pick(nodes, random);
  const ms = length(random);
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
