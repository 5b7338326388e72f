/** Faults, each brought about while claims are asked for, and what became of these. */
import { setTimeout as delay } from "node:timers/promises";
import type { Member } from "../lab/member.ts";
import type { Bench } from "./bench.ts";
import { idleNode } from "./idle-node.ts";
import { type LoadResult, underLoad } from "./load.ts";
import type { Row } from "./rows.ts";
import { rolesOf } from "./stream-leader.ts";

const PAUSED_MS = 3_000;
const ANSWER_MS = 90_000;

export interface Fault {
  readonly name: string;
  /** Chooses whom it befalls, before the load begins. */
  readonly prepare: (bench: Bench, round: number) => Promise<readonly Member[]>;
  readonly bringAbout: (members: readonly Member[]) => Promise<void>;
}

const kill = async (members: readonly Member[]): Promise<void> => {
  await Promise.all(members.map((member) => member.kill()));
};

const killAndStart = async (members: readonly Member[]): Promise<void> => {
  await kill(members);
  for (const member of members) member.start();
};

const pauseAndResume = async (members: readonly Member[]): Promise<void> => {
  for (const member of members) member.pause();
  await delay(PAUSED_MS);
  for (const member of members) member.resume();
};

const leader = async ({ cluster }: Bench): Promise<readonly Member[]> => [
  (await rolesOf(cluster, "KV_tasks")).leader,
];

export function faultsFor(nodes: number): readonly Fault[] {
  const everywhere: Fault[] = [
    {
      name: "a worker killed",
      prepare: ({ cluster: { workers } }, round) =>
        Promise.resolve(workers.slice(round % workers.length).slice(0, 1)),
      bringAbout: kill,
    },
    {
      name: "all workers killed and started",
      prepare: ({ cluster }) => Promise.resolve(cluster.workers),
      bringAbout: killAndStart,
    },
    {
      name: "all NATS nodes killed and started",
      prepare: ({ cluster }) => Promise.resolve(cluster.nodes),
      bringAbout: killAndStart,
    },
    {
      name: `the NATS node that leads stopped for ${PAUSED_MS / 1000} s`,
      prepare: leader,
      bringAbout: pauseAndResume,
    },
  ];
  const alone: Fault = {
    name: "the NATS node restarted",
    prepare: leader,
    bringAbout: async (members) => {
      for (const member of members) {
        await member.stop();
        member.start();
      }
    },
  };
  const clustered: Fault[] = [
    {
      name: "the NATS node that leads killed",
      prepare: leader,
      bringAbout: kill,
    },
    {
      name: "a NATS node that leads nothing killed",
      prepare: async (bench) => [await idleNode(bench)],
      bringAbout: kill,
    },
  ];
  return [...everywhere, ...(nodes === 1 ? [alone] : clustered)];
}

/** Whatever was killed runs again when a round is over. */
export async function measureFault(bench: Bench, fault: Fault, rounds: number): Promise<Row[]> {
  const results: LoadResult[] = [];
  for (let round = 0; round < rounds; round++) {
    const members = await fault.prepare(bench, round);
    results.push(await underLoad(bench, () => fault.bringAbout(members)));
    for (const member of [...bench.cluster.nodes, ...bench.cluster.workers]) {
      member.resume();
      member.start();
    }
    await bench.cluster.untilAnswered(ANSWER_MS);
  }
  const row = (what: string, unit: Row["unit"], of: (result: LoadResult) => number): Row => ({
    what: `${fault.name}: ${what}`,
    unit,
    values: results.map(of),
  });
  return [
    row("longest time without a success", "ms", ({ gapMs }) => gapMs),
    row("longest wait for an answer", "ms", ({ slowestMs }) => slowestMs),
    row("asked", "requests", ({ requests }) => requests),
    row("asked more than once", "requests", ({ askedAgain }) => askedAgain),
    row("never answered", "requests", ({ failed }) => failed),
    row("acknowledged and lost", "writes", ({ lost }) => lost),
  ];
}
