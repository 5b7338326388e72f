/** All faults that there are, and which of them can be brought about. */
import type { Cluster } from "../cluster.ts";
import { CLOCK_FAULTS } from "./clocks.ts";
import { CONNECTION_FAULTS } from "./connections.ts";
import { DISK_FAULTS } from "./disks.ts";
import type { Fault, Need } from "./fault.ts";
import { LEADER_FAULTS } from "./leaders.ts";
import { PARTITION_FAULTS } from "./partitions.ts";
import { PROCESS_FAULTS } from "./processes.ts";

export const FAULTS: readonly Fault[] = [
  ...PROCESS_FAULTS,
  ...LEADER_FAULTS,
  ...PARTITION_FAULTS,
  ...CONNECTION_FAULTS,
  ...DISK_FAULTS,
  ...CLOCK_FAULTS,
];

/** `names`: to which the run is limited; `null`: all. */
export function possibleFaults(cluster: Cluster, names: readonly string[] | null): Fault[] {
  const isPossible: Readonly<Record<Need, boolean>> = {
    "a single node": cluster.nodes.length === 1,
    "several nodes": cluster.nodes.length > 1,
    "something to cut": cluster.canCut,
    links: cluster.hasLinks,
    disks: cluster.disks !== null,
    "slow disks": cluster.canSlowDisks,
  };
  return FAULTS.filter(({ name, needs = [], isBeyondGuarantees = false }) => {
    const isWanted = names?.includes(name) ?? !isBeyondGuarantees;
    return isWanted && needs.every((need) => isPossible[need]);
  });
}
