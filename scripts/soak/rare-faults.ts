/**
 * The faults of the chaos runs, so rare that the coordinator works normally most of the time.
 *
 * One fault is left out: a task that is completed while the clock of its worker is ahead is removed days
 * later. That would look like tasks that are never removed.
 */
import { pause } from "../../src/client/waiting.ts";
import type { Random } from "../../src/simulation/random.ts";
import type { Cluster } from "../lab/cluster.ts";
import { possibleFaults } from "../lab/faults/all.ts";
import { pick } from "../lab/faults/fault.ts";

export interface RareFaults {
  readonly random: Random;
  /** The shortest pause between two faults; the longest is twice as long. */
  readonly pauseMs: number;
  /** Whether processes may be killed now. Only a process that stays alive shows whether it grows. */
  readonly mayKill: () => boolean;
  readonly signal: AbortSignal;
  /** Called with each fault when it begins. */
  readonly tell: (name: string) => void;
}

/** Causes one fault after the other until the signal is aborted. Resolves when the last is repaired. */
export async function causeRareFaults(cluster: Cluster, options: RareFaults): Promise<void> {
  const { random, pauseMs, mayKill, signal, tell } = options;
  const all = possibleFaults(cluster, null).filter(
    ({ name }) => name !== "a clock is moved forwards",
  );
  const sparing = all.filter(({ name }) => !name.startsWith("kill"));
  for (;;) {
    await pause(pauseMs * (1 + random()), signal).catch(() => undefined);
    if (signal.aborted) return;
    const fault = pick(mayKill() ? all : sparing, random);
    tell(fault.name);
    await fault.run(cluster, random);
  }
}
