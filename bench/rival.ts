/** One of those that are compared: who plays its rounds, and the processes that do its work. */
import { familyOf, cpuSecondsOf } from "./processes.ts";
import type { ContenderProcess } from "./contender-process.ts";
import type { Round } from "./contender.ts";
import type { Measured } from "./load.ts";

/** Whose processor time is told apart. */
type Part = "client" | "worker" | "server";

export interface Rival {
  /** For people. */
  readonly title: string;
  readonly contender: ContenderProcess;
  /** Without the client. */
  readonly processes: Readonly<Record<Exclude<Part, "client">, readonly number[]>>;
}

export interface Figures extends Measured {
  /** Microseconds of processor time for each thing that was done. */
  readonly cpuMicros: Readonly<Record<Part, number>>;
}

export async function play(rival: Rival, round: Round): Promise<Figures> {
  const { contender, processes } = rival;
  const pids = { client: [contender.pid], ...processes };
  let before = cpuOf(pids);
  const measured = await contender.play(round, () => {
    before = cpuOf(pids);
  });
  const after = cpuOf(pids);
  const micros = (part: Part): number => ((after[part] - before[part]) * 1e6) / measured.done;
  return {
    ...measured,
    cpuMicros: { client: micros("client"), worker: micros("worker"), server: micros("server") },
  };
}

function cpuOf(pids: Readonly<Record<Part, readonly number[]>>): Record<Part, number> {
  const secondsOf = (part: Part): number =>
    pids[part].flatMap(familyOf).reduce((sum, pid) => sum + cpuSecondsOf(pid), 0);
  return { client: secondsOf("client"), worker: secondsOf("worker"), server: secondsOf("server") };
}
