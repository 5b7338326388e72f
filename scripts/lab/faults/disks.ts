/** Disks that are full or slow. */
import { setTimeout as delay } from "node:timers/promises";
import type { Random } from "../../../src/simulation/random.ts";
import type { Cluster } from "../cluster.ts";
import { slowDisk } from "../slow-disk.ts";
import { between, type Fault, LONG_MS, pick } from "./fault.ts";

export const DISK_FAULTS: readonly Fault[] = [
  {
    name: "full disk",
    needs: ["disks", "a single node"],
    run: full,
  },
  {
    /** What the nodes have agreed on and what they have stored then differ, with nats-server 2.14.0. */
    name: "full disk in a cluster",
    needs: ["disks", "several nodes"],
    isBeyondGuarantees: true,
    run: full,
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
async function full({ disks, nodes }: Cluster, random: Random): Promise<void> {
  const node = pick(nodes, random);
  const ms = random() * LONG_MS;
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
