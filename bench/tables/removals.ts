/** What it takes to remove finished tasks, and what others notice of it. */
import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { median, quantile } from "../../scripts/lab/statistics.ts";
import { KvBucket } from "../../src/nats/kv-bucket.ts";
import { TASKS_BUCKET } from "../../src/nats/kv-buckets.ts";
import { KvWriter } from "../../src/nats/kv-writer.ts";
import type { WriteOutcome } from "../../src/service/ports.ts";
import { Claimant } from "../claimant.ts";
import { runLoad } from "../load.ts";
import { Place } from "../place.ts";
import type { Cell } from "../table.ts";
import { TaskMaker } from "../task-maker.ts";
import type { Suite, SuiteContext } from "./suite.ts";

const WORKERS = 3;
/** As many as a worker removes at a time. */
const AT_A_TIME = 16;
const REMOVED = 400;
const TIMEOUT_MS = 60_000;
const PLACES = [
  { nodes: 1, count: 1_000 },
  { nodes: 1, count: 10_000 },
  { nodes: 1, count: 50_000 },
  { nodes: 3, count: 10_000 },
] as const;

export const removals: Suite = {
  name: "removals",
  what: "removing finished tasks, and claims meanwhile, at a thousand to fifty thousand tasks",
  async *run(context) {
    const rows: Cell[][] = [];
    for (const { nodes, count } of context.isShort ? PLACES.slice(0, 1) : PLACES) {
      context.tell(`  ${count} tasks, ${nodes} nodes`);
      rows.push(await measure(context, nodes, count));
    }
    yield {
      id: "removals",
      title: "Removing finished tasks",
      columns: [
        { title: "NATS nodes" },
        { title: "other tasks" },
        { title: "removed/s" },
        { title: "claim p99 ms", digits: 1 },
        { title: "by a marker alone: removed/s" },
        { title: "claim p99 ms", digits: 1 },
      ],
      rows,
      drawn: { column: 2, names: 2 },
      notes: [
        `Tasks with three records, ${AT_A_TIME} removed at a time, with ${WORKERS} workers that watch, and one client who claims other tasks, one after the other. By a marker alone: it replaces all records at once, as \`nats kv purge\` does.`,
      ],
    };
  },
};

interface Finished {
  readonly id: string;
  readonly revision: number;
}

type Remove = (task: Finished) => Promise<WriteOutcome>;

async function measure(context: SuiteContext, nodes: number, count: number): Promise<Cell[]> {
  await using place = await Place.start({ ...context, nodes, workers: WORKERS });
  await using maker = await TaskMaker.connect(place.cluster.urls);
  await maker.make(count);
  const bucket = await openBucket(maker.connection);
  const ways: readonly Remove[] = [
    async ({ id, revision }) => {
      await bucket.dropHistory(id, revision);
      return bucket.purge(id, revision);
    },
    ({ id, revision }) => bucket.purge(id, revision),
  ];
  const measured = ways.map((remove) => ({
    remove,
    rates: [] as number[],
    claims: [] as number[],
  }));
  const claimant = new Claimant(maker.connection);
  for (let round = 0; round < context.effort.rounds; round++) {
    for (const { remove, rates, claims } of measured) {
      const tasks = await finish(maker);
      const stopClaims = claimant.claimsUntilStopped();
      try {
        rates.push(await removeAll(tasks, remove));
      } finally {
        claims.push(...(await stopClaims()));
      }
    }
  }
  return [
    nodes,
    count,
    ...measured.flatMap((way) => [median(way.rates), quantile(way.claims, 0.99)]),
  ];
}

/** As a worker opens it. */
async function openBucket(connection: NatsConnection): Promise<KvBucket> {
  const jsm = await jetstreamManager(connection);
  const writer = new KvWriter(connection, TIMEOUT_MS);
  return new KvBucket(TASKS_BUCKET, { connection, jsm, writer, watchFailed: () => undefined });
}

/** Makes tasks, claims and completes them. */
async function finish(maker: TaskMaker): Promise<Finished[]> {
  const session_id = "finisher";
  const ids = await maker.make(REMOVED);
  return await Promise.all(
    ids.map(async (id) => {
      await maker.tasks.claim(id, { session_id });
      const { revision } = await maker.tasks.release(id, { session_id, status: "complete" });
      return { id, revision };
    }),
  );
}

/** @returns how many a second */
async function removeAll(tasks: readonly Finished[], remove: Remove): Promise<number> {
  const left = [...tasks];
  const removeNext = async (): Promise<void> => {
    const task = left.pop();
    if (task === undefined) throw new Error("there is no task left");
    const { kind } = await remove(task);
    if (kind !== "written") throw new Error(`the marker of ${task.id} was not written: ${kind}`);
  };
  const load = { inFlight: AT_A_TIME, count: tasks.length };
  return (await runLoad(removeNext, load)).perSecond;
}
