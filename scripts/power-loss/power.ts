/** Cuts the power of nodes, and restores it. */
import { setTimeout as delay } from "node:timers/promises";
import type { Cluster } from "../lab/cluster.ts";
import type { Member } from "../lab/member.ts";
import { rolesOf } from "../lab/leader.ts";
import type { Disk } from "./disk.ts";
import type { Victims } from "./options.ts";

/** Long enough for the other nodes to elect a leader and continue. */
const DARK_MS = 5_000;
/** How far the third node is behind the other two. */
const BEHIND_MS = 10_000;
const ANSWER_MS = 90_000;

export interface Grid {
  readonly cluster: Cluster;
  /** By the name of the node. */
  readonly disks: ReadonlyMap<string, Disk>;
}

/** Resolves to the time of the failure, by the clock of this process. */
export async function failPower(
  grid: Grid,
  victims: Victims,
  stopWriting: () => Promise<void>,
): Promise<number> {
  if (victims === "unlucky") return unlucky(grid, stopWriting);
  return victims === "all" ? all(grid, stopWriting) : one(grid, stopWriting);
}

/** All nodes and all workers lose their power. */
async function all({ cluster, disks }: Grid, stopWriting: () => Promise<void>): Promise<number> {
  const { nodes, workers } = cluster;
  const at = await lose(nodes, disks);
  await Promise.all(workers.map((worker) => worker.kill()));
  await stopWriting();
  await restore(nodes, disks);
  await cluster.untilConnected();
  return at;
}

/** The node that leads loses its power. The others continue. */
async function one({ cluster, disks }: Grid, stopWriting: () => Promise<void>): Promise<number> {
  const { leader } = await rolesOf(cluster, "tasks");
  const at = await lose([leader], disks);
  await delay(DARK_MS);
  await restore([leader], disks);
  await delay(DARK_MS);
  await stopWriting();
  return at;
}

/**
 * Two nodes have the writes that were acknowledged last; the third is behind. One of the two loses its
 * power and the other is paused. So the two nodes that continue may both lack these writes.
 */
async function unlucky(
  { cluster, disks }: Grid,
  stopWriting: () => Promise<void>,
): Promise<number> {
  const { leader, followers } = await rolesOf(cluster, "tasks");
  const [behind, informed] = followers;
  if (behind === undefined || informed === undefined) throw new Error("it takes three nodes");
  behind.pause();
  await delay(BEHIND_MS);
  const at = await lose([leader], disks);
  informed.pause();
  await stopWriting();
  // Connections to a paused node would not break for minutes.
  await Promise.all(cluster.workers.map((worker) => worker.kill()));
  behind.resume();
  await restore([leader], disks);
  for (const worker of cluster.workers) worker.start();
  await cluster.untilAnswered(ANSWER_MS);
  informed.resume();
  return at;
}

async function lose(victims: readonly Member[], disks: Grid["disks"]): Promise<number> {
  for (const victim of victims) victim.pause();
  const at = performance.now();
  await Promise.all(victims.flatMap((victim) => disks.get(victim.name)?.losePower() ?? []));
  await Promise.all(victims.map((victim) => victim.kill()));
  return at;
}

async function restore(victims: readonly Member[], disks: Grid["disks"]): Promise<void> {
  for (const victim of victims) {
    await disks.get(victim.name)?.restore();
    victim.start();
  }
}
