/** Faults under load, and what happens to the claims meanwhile. */
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { rolesOf } from "../lab/leader.ts";
import type { Member } from "../lab/member.ts";
import type { Bench, Row } from "./bench.ts";
import { type LoadResult, underLoad } from "./load.ts";

const PAUSED_MS = 3_000;
const ANSWER_MS = 90_000;
const BUCKETS = ["tasks", "leases", "sessions"] as const;
const ELECTIONS = 50;
const ELECTION_MS = 1_000;

type Members = readonly Member[];

export interface Fault {
  readonly name: string;
  /** Selects the processes that the fault happens to, before the load begins. */
  readonly prepare: (bench: Bench, round: number) => Promise<Members> | Members;
  readonly cause: (members: Members) => Promise<void>;
}

async function kill(members: Members): Promise<void> {
  await Promise.all(members.map((member) => member.kill()));
}

async function killAndStart(members: Members): Promise<void> {
  await kill(members);
  for (const member of members) member.start();
}

async function pauseAndResume(members: Members): Promise<void> {
  for (const member of members) member.pause();
  await delay(PAUSED_MS);
  for (const member of members) member.resume();
}

async function restart(members: Members): Promise<void> {
  await Promise.all(members.map((member) => member.stop()));
  for (const member of members) member.start();
}

async function leader({ cluster }: Bench): Promise<Members> {
  return [(await rolesOf(cluster, "tasks")).leader];
}

const oneWorker: Fault["prepare"] = ({ cluster: { workers } }, round) =>
  workers.slice(round % workers.length).slice(0, 1);
const allWorkers: Fault["prepare"] = ({ cluster }) => cluster.workers;
const allNodes: Fault["prepare"] = ({ cluster }) => cluster.nodes;

export function faultsFor(nodes: number): readonly Fault[] {
  const stopped = `the NATS node that leads stopped for ${PAUSED_MS / 1000} s`;
  return [
    { name: "a worker killed", prepare: oneWorker, cause: kill },
    { name: "all workers killed and started", prepare: allWorkers, cause: killAndStart },
    { name: "all NATS nodes killed and started", prepare: allNodes, cause: killAndStart },
    { name: stopped, prepare: leader, cause: pauseAndResume },
    ...(nodes === 1
      ? [{ name: "the NATS node restarted", prepare: leader, cause: restart }]
      : [
          { name: "the NATS node that leads killed", prepare: leader, cause: kill },
          { name: "a NATS node that leads nothing killed", prepare: idleNode, cause: kill },
        ]),
  ];
}

/** Everything that was killed runs again when a round has ended. */
export async function measureFault(bench: Bench, fault: Fault, rounds: number): Promise<Row[]> {
  const results: LoadResult[] = [];
  for (let round = 0; round < rounds; round++) {
    const members = await fault.prepare(bench, round);
    results.push(await underLoad(bench, () => fault.cause(members)));
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

const jsz = z.object({ meta_cluster: z.object({ leader: z.string().optional() }) });

/**
 * A node that leads no bucket. Where every node leads one, leaders are asked to step down until one is idle.
 *
 * @throws Error if no election leaves a node idle
 */
async function idleNode({ cluster, connection }: Bench): Promise<Members> {
  for (let election = 0; election < ELECTIONS; election++) {
    try {
      const reply = await fetch(`${cluster.figuresUrl("n1")}/jsz`);
      const { meta_cluster: meta } = jsz.parse(await reply.json());
      const roles = await Promise.all(BUCKETS.map((bucket) => rolesOf(cluster, bucket)));
      const busy = new Set([meta.leader, ...roles.map(({ leader: { name } }) => name)]);
      const idle = cluster.nodes.find(({ name }) => !busy.has(name));
      if (idle !== undefined) return [idle];
      const bucket = BUCKETS[election % BUCKETS.length] ?? BUCKETS[0];
      await connection.request(`$JS.API.STREAM.LEADER.STEPDOWN.KV_${bucket}`);
    } catch {
      // An election is under way, and no leader receives the request.
    }
    await delay(ELECTION_MS);
  }
  throw new Error("every node leads something");
}
