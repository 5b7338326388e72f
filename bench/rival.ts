/** A contender with the processes that do its work, whose processor time counts as well. */
import type { Child } from "../scripts/lab/child.ts";
import type { ContenderMethods, Round } from "./contender.ts";
import type { Measured } from "./load.ts";
import { cpuSecondsOf } from "./processes.ts";

export type ContenderProcess = Child<ContenderMethods>;

type PerPart<T> = Readonly<Record<"client" | "worker" | "server", T>>;

export interface Rival {
  /** Its name, for people. */
  readonly title: string;
  readonly contender: ContenderProcess;
  /** The ids of its processes, except the client. */
  readonly processes: Omit<PerPart<readonly number[]>, "client">;
}

export interface Figures extends Measured {
  /** Microseconds of processor time for each thing that was done. */
  readonly cpuMicros: PerPart<number>;
}

export async function play({ contender, processes }: Rival, round: Round): Promise<Figures> {
  const pids = { client: [contender.pid], ...processes };
  await contender.ask("prepare", round);
  const before = perPart((part) => cpuOf(pids[part]));
  const measured = await contender.ask("play");
  const after = perPart((part) => cpuOf(pids[part]));
  const cpuMicros = perPart((part) => ((after[part] - before[part]) * 1e6) / measured.done);
  return { ...measured, cpuMicros };
}

export function perPart(of: (part: keyof PerPart<unknown>) => number): PerPart<number> {
  return { client: of("client"), worker: of("worker"), server: of("server") };
}

function cpuOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + cpuSecondsOf(pid), 0);
}
