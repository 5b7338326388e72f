/** Disks that are full or slow. */
import { setTimeout as delay } from "node:timers/promises";
import { slowDisk } from "../slow-disk.ts";
import { between, type Fault, LONG_MS, pick } from "./fault.ts";

export const DISK_FAULTS: readonly Fault[] = [
  {
    /**
     * A node whose disk was full writes no more to the streams concerned, even with room again, until it
     * is started anew: the operator makes room and restarts it, and so does this.
     */
    name: "full disk",
    needs: ["disks"],
    run: async ({ disks, nodes }, random) => {
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
