/** What more tasks cost: latencies, memory, and the time until a worker serves. */
import { median, quantile } from "../../scripts/lab/statistics.ts";
import { firstClaim } from "../../scripts/lab/clients.ts";
import { BenchClient } from "../client.ts";
import { timed } from "../load.ts";
import { startPlace, workerPid } from "../place.ts";
import { memoryOf } from "../processes.ts";
import { type Cell, columns } from "../table.ts";
import type { Suite, SuiteContext } from "./suite.ts";

const MEASURED = 1_000;
const STARTS = 3;

export const growth: Suite = {
  name: "growth",
  what: "latencies, memory and cold start with a thousand to a million tasks",
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
        ...columns(0, "tasks"),
        ...columns(2, "claim p50 ms", "claim p99 ms", "next p50 ms", "next p99 ms"),
        ...[...columns(0, "worker MiB"), ...columns(2, "cold start s")],
      ],
      rows,
      drawn: { column: 1, names: 1 },
      notes: [
        `One request at a time, ${MEASURED} of each kind. The memory is that of a worker that has just started. Cold start: from the start of its process to its first answer to a claim, while NATS keeps running; the median of ${STARTS}.`,
      ],
    };
  },
};

async function measure(context: SuiteContext, count: number): Promise<Cell[]> {
  await using place = await startPlace(context);
  await using client = await BenchClient.connect(place.urls);
  await client.make(count);
  const claims = await client.timedClaims(MEASURED);
  const nexts: number[] = [];
  while (nexts.length < Math.min(MEASURED, count)) nexts.push(await timed(() => client.next(1)));
  const starts: number[] = [];
  while (starts.length < STARTS) {
    const [worker] = place.workers;
    const [id = ""] = await client.make(1);
    await worker?.stop();
    const start = async (): Promise<void> => {
      worker?.start();
      await firstClaim(client.tasks, id, performance.now());
    };
    starts.push(await timed(start));
  }
  return [
    ...[count, median(claims), quantile(claims, 0.99), median(nexts), quantile(nexts, 0.99)],
    ...[memoryOf(workerPid(place)), median(starts) / 1000],
  ];
}
