/** Processes that have ended without being told to, and whether they had a reason to. */
import type { Cluster } from "../lab/cluster.ts";
import type { Problem } from "../../src/history/history.ts";

/**
 * A worker that cannot reach NATS when it is started gives up, and a node may do so when its disk is
 * full. Nothing else ends a process.
 */
export function endingProblems(
  { nodes, workers, intruder }: Cluster,
  startedAt: number,
): Problem[] {
  return [...nodes, ...workers, intruder].flatMap(({ name, endings }) =>
    endings
      .filter(({ hasServed, isExcused }) => hasServed && !isExcused)
      .map(({ at, how }) => {
        const seconds = ((at - startedAt) / 1000).toFixed(1);
        const what = `${name} has ended by itself (${how}) after ${seconds} s`;
        return { guarantee: "alive", taskId: null, what };
      }),
  );
}
