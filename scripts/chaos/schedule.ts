/** Which faults happen in a run, and when, as its seed decides. */
import { setTimeout as delay } from "node:timers/promises";
import { createRandomFor, type Random } from "../../src/simulation/random.ts";
import type { Cluster } from "../lab/cluster.ts";
import type { Fault } from "../lab/faults/fault.ts";

/** How often a second fault begins during the first. */
const OVERLAPS = 0.25;
const LATEST_SECOND_MS = 2_000;

/**
 * Causes one fault after the other, sometimes two at a time, with pauses, until the signal is aborted.
 * Calls `tell` when a fault begins. Resolves when all faults are repaired.
 */
export async function causeFaults(
  cluster: Cluster,
  faults: readonly Fault[],
  random: Random,
  signal: AbortSignal,
  tell: (name: string) => void,
): Promise<void> {
  const begin = async (fault: Fault, own: Random, afterMs: number): Promise<void> => {
    await delay(afterMs);
    tell(fault.name);
    await fault.run(cluster, own);
  };
  while (!signal.aborted) {
    await delay(500 + random() * 4_000);
    const fault = draw(faults, random);
    const others = faults.filter((other) => other !== fault);
    const isDouble = random() < OVERLAPS && others.length > 0;
    // Each draws its own numbers: they must not depend on the progress of the other.
    const begun = [begin(fault, randomOf(random), 0)];
    if (isDouble) {
      begun.push(begin(draw(others, random), randomOf(random), random() * LATEST_SECOND_MS));
    }
    const results = await Promise.allSettled(begun);
    for (const result of results) if (result.status === "rejected") throw result.reason;
  }
}

function draw(faults: readonly Fault[], random: Random): Fault {
  const weight = (fault: Fault): number => fault.weight ?? 1;
  let left = random() * faults.reduce((sum, fault) => sum + weight(fault), 0);
  const found = faults.find((fault) => (left -= weight(fault)) < 0) ?? faults.at(-1);
  if (found === undefined) throw new Error("no fault is possible here");
  return found;
}

function randomOf(random: Random): Random {
  return createRandomFor(Math.floor(random() * 2 ** 32), 0);
}
