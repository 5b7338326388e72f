/** What the removal of finished tasks costs, and how it affects claims. */
import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { median, quantile } from "../../scripts/lab/statistics.ts";
import { KvBucket } from "../../src/nats/kv-bucket.ts";
import { TASKS_BUCKET } from "../../src/nats/kv-buckets.ts";
import { KvWriter } from "../../src/nats/kv-writer.ts";
import { LeaderReads } from "../../src/nats/leader-reads.ts";
import type { WriteOutcome } from "../../src/service/ports.ts";
import { BenchClient } from "../client.ts";
import { runLoad } from "../load.ts";
import { startPlace } from "../place.ts";
import { type Cell, columns } from "../table.ts";
import type { Suite, SuiteContext } from "./suite.ts";

const WORKERS = 3;
/** A worker removes this number at a time. */
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
  what: "removing finished tasks, and claims meanwhile, with a thousand to fifty thousand tasks",
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
        ...[...columns(0, "NATS nodes", "other tasks", "removed/s"), ...columns(1, "claim p99 ms")],
        ...[...columns(0, "by a marker alone: removed/s"), ...columns(1, "claim p99 ms")],
      ],
      rows,
      drawn: { column: 2, names: 2 },
      notes: [
        `Tasks have three records. ${AT_A_TIME} are removed at a time, while ${WORKERS} workers watch and one client claims other tasks, one after the other. "By a marker alone": the marker replaces all records at once, as \`nats kv purge\` does.`,
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
  await using place = await startPlace({ ...context, nodes, workers: WORKERS });
  await using client = await BenchClient.connect(place.urls);
  await client.make(count);
  const bucket = await openBucket(client.connection);
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
  for (let round = 0; round < context.effort.rounds; round++) {
    for (const { remove, rates, claims } of measured) {
      const tasks = await finishTasks(client);
      const stopClaims = client.claimUntilStopped();
      try {
        rates.push(await removeAll(tasks, remove));
      } finally {
        claims.push(...(await stopClaims()));
      }
    }
  }
  const figures = measured.flatMap((way) => [median(way.rates), quantile(way.claims, 0.99)]);
  return [nodes, count, ...figures];
}

/** Opens the bucket as a worker does. */
async function openBucket(connection: NatsConnection): Promise<KvBucket> {
  const jsm = await jetstreamManager(connection);
  const writer = new KvWriter(connection, TIMEOUT_MS);
  const reads = new LeaderReads(connection, jsm, TIMEOUT_MS);
  const watchFailed = (): void => undefined;
  return new KvBucket(TASKS_BUCKET, { connection, jsm, writer, reads, watchFailed });
}

/** Creates tasks, claims and completes them. */
async function finishTasks(client: BenchClient): Promise<Finished[]> {
  const session_id = "finisher";
  const { tasks } = client;
  const ids = await client.make(REMOVED);
  return await Promise.all(
    ids.map(async (id) => {
      await tasks.claim(id, { session_id });
      const { revision } = await tasks.release(id, { session_id, status: "complete" });
      return { id, revision };
    }),
  );
}

/** @returns how many a second */
async function removeAll(tasks: readonly Finished[], remove: Remove): Promise<number> {
  const removeOne = async (index: number): Promise<void> => {
    const { id, revision } = tasks[index] ?? { id: "", revision: 0 };
    const { kind } = await remove({ id, revision });
    if (kind !== "written") throw new Error(`the marker of ${id} was not written: ${kind}`);
  };
  const load = { inFlight: AT_A_TIME, count: tasks.length };
  return (await runLoad(removeOne, load)).perSecond;
}
