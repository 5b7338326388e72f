/** The faults of a run: which there are, and a schedule of them that a seed repeats. */
import { setTimeout as delay } from "node:timers/promises";
import type { Random } from "../../src/simulation/random.ts";
import type { Cluster } from "./cluster.ts";
import type { Member } from "./member.ts";

/** Longer than the leases of the sessions, and than the election of a leader takes. */
const LONG_MS = 8_000;

export interface Fault {
  readonly name: string;
  /** Brings it about, and mends it before it resolves. */
  run(cluster: Cluster, random: Random): Promise<void>;
}

const FAULTS: readonly (Fault & { readonly needs?: "network" | "cluster" })[] = [
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
    run: (cluster, random) => paused(pick(cluster.workers, random), random),
  },
  {
    name: "pause a node",
    run: (cluster, random) => paused(pick(cluster.nodes, random), random),
  },
  {
    name: "cut off a node",
    needs: "network",
    run: async ({ network, nodes }, random) => {
      await network?.unplug(pick(nodes, random).name);
      await delay(random() * LONG_MS);
      await network?.heal();
    },
  },
  {
    name: "cut off a worker",
    needs: "network",
    run: async ({ network, workers }, random) => {
      await network?.unplug(pick(workers, random).name);
      await delay(random() * LONG_MS);
      await network?.heal();
    },
  },
  {
    name: "one node does not reach another",
    needs: "cluster",
    run: async ({ network, nodes }, random) => {
      const from = pick(nodes, random);
      const others = nodes.filter((node) => node !== from);
      await network?.block(from.name, pick(others, random).name);
      await delay(random() * LONG_MS);
      await network?.heal();
    },
  },
  {
    name: "a worker does not reach one node",
    needs: "network",
    run: async ({ network, nodes, workers }, random) => {
      await network?.block(pick(workers, random).name, pick(nodes, random).name);
      await delay(random() * LONG_MS);
      await network?.heal();
    },
  },
];

/** Those that can be brought about here. */
export function possibleFaults({ network, nodes }: Cluster): readonly Fault[] {
  return FAULTS.filter(({ needs }) => {
    if (needs === "cluster") return network !== null && nodes.length > 1;
    return needs === undefined || network !== null;
  });
}

/** One fault after the other, with pauses, until the signal is aborted. Tells of each when it begins. */
export async function bringAbout(
  cluster: Cluster,
  random: Random,
  signal: AbortSignal,
  tell: (name: string) => void,
): Promise<void> {
  const faults = possibleFaults(cluster);
  while (!signal.aborted) {
    await delay(500 + random() * 4_000);
    const fault = pick(faults, random);
    tell(fault.name);
    await fault.run(cluster, random);
  }
}

async function killed(members: readonly Member[], random: Random): Promise<void> {
  await Promise.all(members.map((member) => member.kill()));
  await delay(random() * 4_000);
  for (const member of members) member.start();
}

async function paused(member: Member, random: Random): Promise<void> {
  member.pause();
  await delay(random() * LONG_MS);
  member.resume();
}

function pick<T>(all: readonly T[], random: Random): T {
  const one = all[Math.floor(random() * all.length)];
  if (one === undefined) throw new Error("there is nothing to choose from");
  return one;
}
