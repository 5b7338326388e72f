/** Processes that die, stop for a while, or get hardly any time to run. */
import { setTimeout as delay } from "node:timers/promises";
import type { Random } from "../../../src/simulation/random.ts";
import type { Member } from "../member.ts";
import { between, type Fault, LONG_MS, pick } from "./fault.ts";

export const PROCESS_FAULTS: readonly Fault[] = [
  {
    name: "kill a worker",
    run: (cluster, random) => killed([pick(cluster.workers, random)], random),
  },
  {
    name: "kill all workers",
    run: (cluster, random) => killed(cluster.workers, random),
  },
  {
    name: "kill a node",
    run: (cluster, random) => killed([pick(cluster.nodes, random)], random),
  },
  {
    name: "kill all nodes",
    run: (cluster, random) => killed(cluster.nodes, random),
  },
  {
    name: "pause a worker",
    run: (cluster, random) => paused(pick(cluster.workers, random), random() * LONG_MS),
  },
  {
    name: "pause a node",
    run: (cluster, random) => paused(pick(cluster.nodes, random), random() * LONG_MS),
  },
  {
    name: "pause a worker for long",
    weight: 0.3,
    run: (cluster, random) => paused(pick(cluster.workers, random), veryLong(random)),
  },
  {
    name: "pause a node for long",
    weight: 0.3,
    run: (cluster, random) => paused(pick(cluster.nodes, random), veryLong(random)),
  },
  {
    name: "starve a worker",
    weight: 0.5,
    run: (cluster, random) => starved(pick(cluster.workers, random), random),
  },
  {
    name: "starve a node",
    weight: 0.5,
    run: (cluster, random) => starved(pick(cluster.nodes, random), random),
  },
];

export async function killed(members: readonly Member[], random: Random): Promise<void> {
  await Promise.all(members.map((member) => member.kill()));
  await delay(random() * 4_000);
  for (const member of members) member.start();
}

export async function paused(member: Member, ms: number): Promise<void> {
  member.pause();
  await delay(ms);
  member.resume();
}

/** Longer than the leases, and than an election takes. */
function veryLong(random: Random): number {
  return between(12_000, 15_000, random);
}

const RUN_MS = 5;
const STOP_MS = 45;

async function starved(member: Member, random: Random): Promise<void> {
  const until = performance.now() + random() * LONG_MS;
  while (performance.now() < until) {
    await paused(member, STOP_MS);
    await delay(RUN_MS);
  }
}
