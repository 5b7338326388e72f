/** Takes the power of nodes, as the kind of the run has it, and gives it back. */
import { setTimeout as delay } from "node:timers/promises";
import type { Cluster } from "../lab/cluster.ts";
import type { Member } from "../lab/member.ts";
import { rolesOf } from "../recovery/stream-leader.ts";
import type { Disk } from "./disk.ts";
import type { Victims } from "./options.ts";

/** Long enough for the other nodes to elect a leader and go on. */
const DARK_MS = 5_000;
/** By how much the node is behind that decides with the victim. */
const BEHIND_MS = 10_000;
const ANSWER_MS = 90_000;

export interface Grid {
  readonly cluster: Cluster;
  /** By the name of the node. */
  readonly disks: ReadonlyMap<string, Disk>;
}

/** @returns when the power failed, by the clock of this process */
export async function failPower(
  grid: Grid,
  victims: Victims,
  stopWriting: () => Promise<void>,
): Promise<number> {
  if (victims === "unlucky") return unlucky(grid, stopWriting);
  return victims === "all" ? all(grid, stopWriting) : one(grid, stopWriting);
}

/** The machines of the workers lose it as well. */
async function all({ cluster, disks }: Grid, stopWriting: () => Promise<void>): Promise<number> {
  const { nodes, workers } = cluster;
  const at = await lose(nodes, disks);
  await Promise.all(workers.map((worker) => worker.kill()));
  await stopWriting();
  await restore(nodes, disks);
  await cluster.untilConnected();
  return at;
}

/** The node that leads loses it; everybody else goes on. */
async function one({ cluster, disks }: Grid, stopWriting: () => Promise<void>): Promise<number> {
  const { leader } = await rolesOf(cluster, "KV_tasks");
  const at = await lose([leader], disks);
  await delay(DARK_MS);
  await restore([leader], disks);
  await delay(DARK_MS);
  await stopWriting();
  return at;
}

/**
 * Two nodes have what was acknowledged last, and the third is behind. Of the two, one loses its power and
 * the other is paused: the two that go on may both not have it.
 */
async function unlucky(
  { cluster, disks }: Grid,
  stopWriting: () => Promise<void>,
): Promise<number> {
  const { leader, followers } = await rolesOf(cluster, "KV_tasks");
  const [behind, informed] = followers;
  if (behind === undefined || informed === undefined) throw new Error("it takes three nodes");
  behind.pause();
  await delay(BEHIND_MS);
  const at = await lose([leader], disks);
  informed.pause();
  await stopWriting();
  // Their connections to a node that is paused would not break for minutes.
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
