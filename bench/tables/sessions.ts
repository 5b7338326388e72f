/** 10,000 sessions that act as agents do, and what they cost while they are quiet. */
import { setTimeout as delay } from "node:timers/promises";
import { quantile } from "../../scripts/lab/statistics.ts";
import { BenchClient } from "../client.ts";
import { Crowd } from "../crowd.ts";
import { startPlace, workerPid } from "../place.ts";
import { cpuSecondsOf, memoryOf } from "../processes.ts";
import { type Cell, columns } from "../table.ts";
import type { Suite } from "./suite.ts";

const SHORT = { sessions: 200, tasks: 1_000, seconds: 10, quietSeconds: 5 };
const FULL = { sessions: 10_000, tasks: 100_000, seconds: 300, quietSeconds: 60 };

/** A claim a minute, and heartbeats at a third of a lease of 300 seconds. */
const RHYTHM = { claimEverySeconds: 60, heartbeatEverySeconds: 100 };

export const sessions: Suite = {
  name: "sessions",
  what: "10,000 connected sessions that claim and send heartbeats for five minutes, then are quiet",
  async *run(context) {
    const { sessions, tasks, seconds, quietSeconds } = context.isShort ? SHORT : FULL;
    await using place = await startPlace(context);
    await using client = await BenchClient.connect(place.urls);
    await client.make(tasks);
    const pids = [workerPid(place), place.nodes[0]?.pid ?? 0] as const;
    const before = memoryOf(pids[0]);
    await using crowd = await Crowd.start(place.urls);
    await crowd.connect(sessions);
    const livingUsage = usageOf(pids);
    const { latencies, failures } = await crowd.live({ seconds, ...RHYTHM });
    const living = livingUsage();
    const quietUsage = usageOf(pids);
    await delay(quietSeconds * 1000);
    const quiet = quietUsage();
    const [memory, serverMemory] = pids.map((pid) => Math.round(memoryOf(pid)));
    yield {
      id: "sessions",
      title: `${sessions} connected sessions, ${tasks} tasks, ${seconds} seconds`,
      columns: [
        ...[...columns(0, "request"), ...columns(1, "answered/s")],
        ...columns(2, "p50 ms", "p95 ms", "p99 ms"),
      ],
      rows: Object.entries(latencies).map(([kind, times]): Cell[] => [
        ...[kind, times.length / seconds],
        ...[0.5, 0.95, 0.99].map((share) => quantile(times, share)),
      ]),
      drawn: { column: 2, names: 1 },
      notes: [
        `Each session takes a task a minute, completes the one before, and sends a heartbeat every 100 seconds; ${failures} requests failed. All sessions begin within the time that is measured, and register before it.`,
        `Processor: ${living} of a core; when all are quiet, ${quiet}.`,
        `Memory: worker ${memory} MiB (${Math.round(before)} MiB before the sessions came), server ${serverMemory} MiB.`,
      ],
    };
  },
};

/** @returns a function that says how much of a core worker and server have used since */
function usageOf(pids: readonly [worker: number, server: number]): () => string {
  const from = performance.now();
  const before = pids.map(cpuSecondsOf);
  return () => {
    const seconds = (performance.now() - from) / 1000;
    const shares = pids.map((pid, i) => (cpuSecondsOf(pid) - (before[i] ?? 0)) / seconds);
    const [worker, server] = shares.map((share) => `${(share * 100).toFixed(1)} %`);
    return `worker ${worker}, server ${server}`;
  };
}
