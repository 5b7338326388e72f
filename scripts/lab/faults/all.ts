/** All faults, and which of them are possible in a cluster. */
import type { Cluster } from "../cluster.ts";
import { CONNECTION_FAULTS } from "./connections.ts";
import type { Fault, Need } from "./fault.ts";
import { NODE_FAULTS } from "./nodes.ts";
import { PROCESS_FAULTS } from "./processes.ts";

export const FAULTS: readonly Fault[] = [...PROCESS_FAULTS, ...NODE_FAULTS, ...CONNECTION_FAULTS];

/** @param names the only faults that the run may have; `null`: all */
export function possibleFaults(cluster: Cluster, names: readonly string[] | null): Fault[] {
  const isPossible: Readonly<Record<Need, boolean>> = {
    "a single node": cluster.nodes.length === 1,
    "several nodes": cluster.nodes.length > 1,
    "something to cut": cluster.canCut,
    links: cluster.hasLinks,
    disks: cluster.disks !== null,
    "slow disks": cluster.canSlowDisks,
  };
  return FAULTS.filter(({ name, needs, isBeyondGuarantees = false }) => {
    const isWanted = names?.includes(name) ?? !isBeyondGuarantees;
    return isWanted && needs.every((need) => isPossible[need]);
  });
}
