/** 10,000 sessions that live as agents do, and what they cost when they are quiet. */
import { setTimeout as delay } from "node:timers/promises";
import { quantile } from "../../scripts/lab/statistics.ts";
import type { Lived } from "../crowd-orders.ts";
import { Crowd } from "../crowd-process.ts";
import { cpuSecondsOf, memoryOf } from "../processes.ts";
import { Place } from "../place.ts";
import type { Cell } from "../table.ts";
import type { Suite, SuiteContext } from "./suite.ts";
import { TaskMaker } from "../task-maker.ts";

const PROCESSES = 4;

interface Extent {
  readonly sessions: number;
  readonly tasks: number;
  readonly seconds: number;
  readonly quietSeconds: number;
}

function extentOf({ isShort }: SuiteContext): Extent {
  return isShort
    ? { sessions: 200, tasks: 1_000, seconds: 10, quietSeconds: 5 }
    : { sessions: 10_000, tasks: 100_000, seconds: 300, quietSeconds: 60 };
}

/** A claim a minute, and heartbeats at a third of leases of 300 seconds. */
const RHYTHM = { claimEverySeconds: 60, heartbeatEverySeconds: 100 };

export const sessions: Suite = {
  name: "sessions",
  what: "10,000 connected sessions that claim and heartbeat for five minutes, and then are quiet",
  async *run(context) {
    const extent = extentOf(context);
    await using place = await Place.start(context);
    const { cluster } = place;
    await using maker = await TaskMaker.connect(cluster.urls);
    await maker.make(extent.tasks);
    const processes = { worker: cluster.workers[0]?.pid ?? 0, server: cluster.nodes[0]?.pid ?? 0 };
    const before = memoryOf(processes.worker);
    await using crowd = await Crowd.start(cluster.urls, {
      sessions: extent.sessions,
      processes: PROCESSES,
    });
    const living = usage(processes);
    const lived = await crowd.live({ seconds: extent.seconds, ...RHYTHM });
    const lively = living();
    const resting = usage(processes);
    await delay(extent.quietSeconds * 1000);
    const quiet = resting();
    const memory = memoryOf(processes.worker);
    const serverMemory = memoryOf(processes.server);
    yield {
      id: "sessions",
      title: `${extent.sessions} connected sessions, ${extent.tasks} tasks, ${extent.seconds} seconds`,
      columns: [
        { title: "request" },
        { title: "answered/s", digits: 1 },
        { title: "p50 ms", digits: 2 },
        { title: "p95 ms", digits: 2 },
        { title: "p99 ms", digits: 2 },
      ],
      rows: rowsOf(lived, extent.seconds),
      drawn: { column: 2, names: 1 },
      notes: [
        `Each session takes a task a minute and completes the one before, and heartbeats every 100 seconds; ${lived.failures} requests failed. All of them have begun to live within those seconds: they register first.`,
        `Processor: worker ${percent(lively.worker)}, server ${percent(lively.server)} of a core; when all are quiet, worker ${percent(quiet.worker)}, server ${percent(quiet.server)}.`,
        `Memory: worker ${Math.round(memory)} MiB (${Math.round(before)} MiB before the sessions came), server ${Math.round(serverMemory)} MiB.`,
      ],
    };
  },
};

function rowsOf({ latencies }: Lived, seconds: number): Cell[][] {
  return Object.entries(latencies).map(([kind, times]) => [
    kind,
    times.length / seconds,
    ...[0.5, 0.95, 0.99].map((share) => quantile(times, share)),
  ]);
}

type Processes = Readonly<Record<"worker" | "server", number>>;

/** @returns what says how much of a core each has taken since */
function usage(processes: Processes): () => Processes {
  const now = (): Processes => ({
    worker: cpuSecondsOf(processes.worker),
    server: cpuSecondsOf(processes.server),
  });
  const [from, before] = [performance.now(), now()];
  return () => {
    const seconds = (performance.now() - from) / 1000;
    const after = now();
    return {
      worker: (after.worker - before.worker) / seconds,
      server: (after.server - before.server) / seconds,
    };
  };
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
