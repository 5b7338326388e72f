/** Which faults a run brings about, and when, as a seed has it. */
import { setTimeout as delay } from "node:timers/promises";
import { createRandomFor, type Random } from "../../src/simulation/random.ts";
import type { Cluster } from "../lab/cluster.ts";
import type { Fault } from "../lab/faults/fault.ts";

/** How often a second one begins while the first is there. */
const OVERLAPS = 0.25;
const LATEST_SECOND_MS = 2_000;

/**
 * One fault after the other, now and then two at once, with pauses, until the signal is aborted. All are
 * mended when it resolves. Tells of each when it begins.
 */
export async function bringAbout(
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
    // What one draws must not depend on how far the other is.
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
  if (found === undefined) throw new Error("no fault can be brought about");
  return found;
}

function randomOf(random: Random): Random {
  return createRandomFor(Math.floor(random() * 2 ** 32), 0);
}
