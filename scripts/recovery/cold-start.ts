/** How long a coordinator takes to start with many tasks, and how much memory. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { firstClaim } from "../lab/clients.ts";
import type { Member } from "../lab/member.ts";
import { Bench, type BenchOptions, type Row } from "./bench.ts";

const run = promisify(execFile);

const IMPORT_AT_ONCE = 5_000;

/** Restarts the worker alone, then the NATS nodes and the worker together. */
export async function measureColdStart(
  options: BenchOptions,
  count: number,
  rounds: number,
): Promise<Row[]> {
  await using bench = await Bench.start({ ...options, workers: 1 });
  const { cluster } = bench;
  const ids: string[] = [];
  while (ids.length < count) {
    ids.push(...(await bench.newTasks(Math.min(IMPORT_AT_ONCE, count - ids.length))));
  }
  const workerOnly = await timesOf(bench, cluster.workers, ids, rounds);
  const workerMemory = await Promise.all(cluster.workers.map(memoryOf));
  const everything = await timesOf(bench, [...cluster.nodes, ...cluster.workers], ids, rounds);
  const nodeMemory = await Promise.all(cluster.nodes.map(memoryOf));
  const row = (what: string, unit: Row["unit"], values: readonly number[]): Row => ({
    what: `cold start with ${count} tasks: ${what}`,
    unit,
    values,
  });
  return [
    row("a worker, until its first claim is answered", "ms", workerOnly),
    row("NATS and a worker, until the first claim is answered", "ms", everything),
    row("memory of the worker", "MiB", workerMemory),
    row("memory of a NATS node", "MiB", nodeMemory),
  ];
}

/** From the start of the processes to the first claim, in each round. */
async function timesOf(
  bench: Bench,
  members: readonly Member[],
  ids: string[],
  rounds: number,
): Promise<readonly number[]> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await Promise.all(members.map((member) => member.stop()));
    const started = performance.now();
    for (const member of members) member.start();
    await firstClaim(bench.tasks, ids.pop() ?? "", started);
    times.push(performance.now() - started);
  }
  return times;
}

/** The resident memory of the process, in MiB. */
async function memoryOf({ pid }: Member): Promise<number> {
  const { stdout } = await run("ps", ["-o", "rss=", "-p", String(pid)]);
  return Number(stdout) / 1024;
}
