/** What a fault is, and what they have in common. */
import type { Random } from "../../../src/simulation/random.ts";
import type { Cluster } from "../cluster.ts";

export type Need =
  "a single node" | "several nodes" | "something to cut" | "links" | "disks" | "slow disks";

export interface Fault {
  readonly name: string;
  /** What it cannot be brought about without. */
  readonly needs?: readonly Need[];
  /** NATS itself does not survive it: it is brought about only where it is named. */
  readonly isBeyondGuarantees?: boolean;
  /** How often it is drawn, compared with the others. Default: 1. */
  readonly weight?: number;
  /** Brings it about, and mends it before it resolves, whatever happens meanwhile. */
  run(cluster: Cluster, random: Random): Promise<void>;
}

/** Longer than the leases of the sessions. */
export const LONG_MS = 8_000;

export function pick<T>(all: readonly T[], random: Random): T {
  const one = all[Math.floor(random() * all.length)];
  if (one === undefined) throw new Error("there is nothing to choose from");
  return one;
}

export function between(least: number, most: number, random: Random): number {
  return least + random() * (most - least);
}
