/**
 * The faults of the chaos runs, so rare that most of the time is normal service.
 *
 * But for one: what is completed while the clock of its worker is ahead is removed that much later, by
 * days, which looks like tasks that are never removed.
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
  /** Whether processes may be killed now: only one that lives on shows whether it grows. */
  readonly mayKill: () => boolean;
  readonly signal: AbortSignal;
  /** Told of each fault when it begins. */
  readonly tell: (name: string) => void;
}

/** One fault after the other until the signal is aborted; the last is mended before it resolves. */
export async function bringAboutRarely(cluster: Cluster, options: RareFaults): Promise<void> {
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
