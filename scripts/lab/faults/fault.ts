/** What a fault is, and how its chance is drawn. */
import type { Random } from "../../../src/simulation/random.ts";
import type { Cluster } from "../cluster.ts";

export type Need =
  "a single node" | "several nodes" | "something to cut" | "links" | "disks" | "slow disks";

export interface Fault {
  readonly name: string;
  /** The fault is possible only where these exist. */
  readonly needs: readonly Need[];
  /** NATS itself does not survive it. It happens only in runs that name it. */
  readonly isBeyondGuarantees?: boolean;
  /** How often it is drawn, relative to the others. Default: 1. */
  readonly weight?: number;
  /** Causes the fault, and repairs it before it resolves. */
  run(cluster: Cluster, random: Random): Promise<void>;
}

export function fault(name: string, needs: readonly Need[], run: Fault["run"]): Fault {
  return { name, needs, run };
}

/** Longer than most leases of the sessions. */
const LONG_MS = 8_000;

/** How long a fault lasts, in milliseconds. */
export function length(random: Random): number {
  return random() * LONG_MS;
}

export function pick<T>(all: readonly T[], random: Random): T {
  const one = all[Math.floor(random() * all.length)];
  if (one === undefined) throw new Error("there is nothing to choose from");
  return one;
}

export function between(least: number, most: number, random: Random): number {
  return least + random() * (most - least);
}
