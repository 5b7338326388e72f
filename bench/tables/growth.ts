/** What more tasks cost: latencies, memory, and the time until a worker serves. */
import { median, quantile } from "../../scripts/lab/statistics.ts";
import { firstClaim } from "../../scripts/recovery/cold-start.ts";
import { Claimant } from "../claimant.ts";
import { Place } from "../place.ts";
import { memoryOf } from "../processes.ts";
import type { Cell } from "../table.ts";
import { TaskMaker } from "../task-maker.ts";
import type { Suite, SuiteContext } from "./suite.ts";

const MEASURED = 1_000;
const STARTS = 3;

export const growth: Suite = {
  name: "growth",
  what: "latencies, memory and cold start at a thousand to a million tasks",
  async *run(context) {
    const rows: Cell[][] = [];
    for (const count of context.isShort ? [1_000] : [1_000, 10_000, 100_000, 1_000_000]) {
      context.tell(`  ${count} tasks`);
      rows.push(await measure(context, count));
    }
    yield {
      id: "growth",
      title: "By the number of tasks",
      columns: [
        { title: "tasks" },
        { title: "claim p50 ms", digits: 2 },
        { title: "claim p99 ms", digits: 2 },
        { title: "next p50 ms", digits: 2 },
        { title: "next p99 ms", digits: 2 },
        { title: "worker MiB" },
        { title: "cold start s", digits: 2 },
      ],
      rows,
      drawn: { column: 1, names: 1 },
      notes: [
        `One request at a time, ${MEASURED} of each kind. The memory is that of a worker that has just started. Cold start: from the start of its process to its first answer to a claim, NATS having run before; the median of ${STARTS}.`,
      ],
    };
  },
};

async function measure(context: SuiteContext, count: number): Promise<Cell[]> {
  await using place = await Place.start(context);
  await using maker = await TaskMaker.connect(place.cluster.urls);
  await maker.make(count);
  const claims = await new Claimant(maker.connection).claims(MEASURED);
  const nexts: number[] = [];
  while (nexts.length < Math.min(MEASURED, count)) nexts.push(await timed(() => next(maker)));
  const starts: number[] = [];
  while (starts.length < STARTS) starts.push(await coldStart(place, maker));
  const memory = memoryOf(place.cluster.workers[0]?.pid ?? 0);
  return [
    ...[count, median(claims), quantile(claims, 0.99), median(nexts), quantile(nexts, 0.99)],
    ...[memory, median(starts) / 1000],
  ];
}

async function next({ tasks }: TaskMaker): Promise<void> {
  const { claims } = await tasks.next({ session_id: "growth", ttl_seconds: 3_600 });
  if (claims.length !== 1) throw new Error("there is no task left");
}

async function timed(operation: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await operation();
  return performance.now() - from;
}

/** Of the worker alone. */
async function coldStart({ cluster }: Place, maker: TaskMaker): Promise<number> {
  const [worker] = cluster.workers;
  const [id = ""] = await maker.make(1);
  await worker?.stop();
  return await timed(async () => {
    worker?.start();
    await firstClaim(maker.tasks, id, performance.now());
  });
}
