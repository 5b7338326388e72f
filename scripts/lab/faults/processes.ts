/** Processes that die, stop for a while, get hardly any time to run, or have a wrong clock. */
import { setTimeout as delay } from "node:timers/promises";
import type { Random } from "../../../src/simulation/random.ts";
import type { Cluster } from "../cluster.ts";
import type { Member } from "../member.ts";
import type { ClockMessage } from "../worker.ts";
import { between, type Fault, fault, length, pick } from "./fault.ts";

const RUN_MS = 5;
const STOP_MS = 45;
const HOUR_MS = 3_600_000;

export const PROCESS_FAULTS: readonly Fault[] = [
  ...faultsOf("worker", ({ workers }) => workers),
  ...faultsOf("node", ({ nodes }) => nodes),
  fault("a clock is moved forwards", [], (cluster, random) => moveClock(cluster, random, 1)),
  fault("a clock is moved backwards", [], (cluster, random) => moveClock(cluster, random, -1)),
];

function faultsOf(kind: string, of: (cluster: Cluster) => readonly Member[]): Fault[] {
  const one = (cluster: Cluster, random: Random): Member => pick(of(cluster), random);
  return [
    fault(`kill a ${kind}`, [], (cluster, random) => kill([one(cluster, random)], random)),
    fault(`kill all ${kind}s`, [], (cluster, random) => kill(of(cluster), random)),
    fault(`pause a ${kind}`, [], (cluster, random) => pause(one(cluster, random), length(random))),
    {
      ...fault(`pause a ${kind} for long`, [], (cluster, random) =>
        // Longer than the leases, and than an election takes.
        pause(one(cluster, random), between(12_000, 15_000, random)),
      ),
      weight: 0.3,
    },
    {
      ...fault(`starve a ${kind}`, [], (cluster, random) =>
        starve(one(cluster, random), length(random)),
      ),
      weight: 0.5,
    },
  ];
}

export async function kill(members: readonly Member[], random: Random): Promise<void> {
  await Promise.all(members.map((member) => member.kill()));
  await delay(random() * 4_000);
  for (const member of members) member.start();
}

export async function pause(member: Member, ms: number): Promise<void> {
  member.pause();
  await delay(ms);
  member.resume();
}

async function starve(member: Member, ms: number): Promise<void> {
  const until = performance.now() + ms;
  while (performance.now() < until) {
    await pause(member, STOP_MS);
    await delay(RUN_MS);
  }
}

/** As an operator does, or a virtual machine that resumes. */
async function moveClock({ workers }: Cluster, random: Random, sign: 1 | -1): Promise<void> {
  const worker = pick(workers, random);
  const move = (clockOffsetMs: number): void => {
    worker.tell({ clockOffsetMs } satisfies ClockMessage);
  };
  move(sign * between(HOUR_MS, 48 * HOUR_MS, random));
  await delay(length(random));
  move(0);
}
