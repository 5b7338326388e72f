/**
 * What each `sync_interval` costs: claims per second, and the latency of a claim. Every setting has its turn
 * in each round, so other load on the machine affects all of them alike.
 */
import { closeSync, fdatasyncSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { Cleanup } from "../../src/cleanup.ts";
import type { TaskClient } from "../../src/client/task-client.ts";
import { TaskConnection } from "../lab/clients.ts";
import { Cluster } from "../lab/cluster.ts";
import { median, quantile } from "../lab/statistics.ts";
import type { PowerLossOptions } from "./options.ts";

const SETTINGS = ["default", "10s", "1s", "always"] as const;
/** Claims of each turn: first many at a time, then one after the other. */
const TOGETHER = 2_000;
const IN_FLIGHT = 32;
const ALONE = 300;

interface Measured {
  readonly perSecond: number[];
  readonly latencies: number[];
}

export async function measurePrice(
  { nodes, rounds }: Pick<PowerLossOptions, "nodes" | "rounds">,
  { binary, folder, signal }: { binary: string; folder: string; signal: AbortSignal },
): Promise<object[]> {
  await using stack = new Cleanup();
  const benches: { setting: string; tasks: TaskClient; measured: Measured }[] = [];
  for (const setting of SETTINGS) {
    const own = join(folder, setting);
    mkdirSync(own);
    const config = setting === "default" ? "" : `jetstream { sync_interval: ${setting} }\n`;
    const cluster = stack.use(
      await Cluster.start({
        ...{ nodes, workers: 1, binary, folder: own, network: null, isDirect: true },
        serverConfig: config,
      }),
    );
    const { tasks } = stack.use(await TaskConnection.open(cluster.urls, "price"));
    benches.push({ setting, tasks, measured: { perSecond: [], latencies: [] } });
  }
  for (let round = 0; round <= rounds; round++) {
    for (let i = 0; i < benches.length; i++) {
      signal.throwIfAborted();
      const bench = benches[(i + round) % benches.length];
      if (bench === undefined) continue;
      const { perSecond, latencies } = await turn(bench.tasks, round);
      // The first round warms up.
      if (round === 0) continue;
      bench.measured.perSecond.push(...perSecond);
      bench.measured.latencies.push(...latencies);
    }
  }
  const sync = median(syncTimes(join(folder, "sync")));
  const [base] = benches;
  return benches.map(({ setting, measured }) => ({
    ...{ nodes, sync_interval: setting },
    "claims/s": Math.round(median(measured.perSecond)),
    ...ratiosTo(base?.measured.perSecond ?? [], measured.perSecond),
    "p50 (ms)": fixed(median(measured.latencies)),
    "p99 (ms)": fixed(quantile(measured.latencies, 0.99)),
    "fdatasync here (ms)": fixed(sync),
  }));
}

async function turn(tasks: TaskClient, round: number): Promise<Measured> {
  const ids = Array.from({ length: TOGETHER + ALONE }, (_, i) => `r${round}-${i}`);
  await tasks.importTasks(ids.map((task_id) => ({ task_id })));
  const claim = (id: string): Promise<unknown> =>
    tasks.claim(id, { session_id: "s1", ttl_seconds: 3600 });
  const together = ids.slice(0, TOGETHER);
  const started = performance.now();
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      for (let id = together.pop(); id !== undefined; id = together.pop()) await claim(id);
    }),
  );
  const perSecond = [(TOGETHER * 1000) / (performance.now() - started)];
  const latencies: number[] = [];
  for (const id of ids.slice(TOGETHER)) {
    const before = performance.now();
    await claim(id);
    latencies.push(performance.now() - before);
  }
  return { perSecond, latencies };
}

/** How long the disk of this machine takes to sync a write. The price of `always` depends on it. */
function syncTimes(path: string): number[] {
  const file = openSync(path, "w");
  const times = Array.from({ length: 200 }, () => {
    writeSync(file, "x".repeat(512));
    const before = performance.now();
    fdatasyncSync(file);
    return performance.now() - before;
  });
  closeSync(file);
  return times;
}

/** Round by round, because the other load on the machine differs from round to round. */
function ratiosTo(base: readonly number[], values: readonly number[]): object {
  const ratios = values.map((value, i) => value / (base[i] ?? NaN));
  return {
    "to default": fixed(median(ratios)),
    "(min)": fixed(Math.min(...ratios)),
    "(max)": fixed(Math.max(...ratios)),
  };
}

function fixed(value: number): number {
  return Number(value.toFixed(2));
}
