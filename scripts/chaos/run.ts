/** One run: sessions and faults for a while, then quiet, then the verdict. */
import { setTimeout as delay } from "node:timers/promises";
import { connectNats } from "../../src/nats/connection.ts";
import { type RecordedEntry, readHistory } from "../../src/nats/read-history.ts";
import { createRandomFor } from "../../src/simulation/random.ts";
import type { Cluster } from "../lab/cluster.ts";
import { endingProblems, stuckTasks, untilAllAnswer } from "../lab/health.ts";

import { possibleFaults } from "../lab/faults/all.ts";
import type { ChaosOptions } from "./options.ts";
import { causeFaults } from "./schedule.ts";
import type { Problem } from "../../src/history/history.ts";
import { type Evidence, judge, statesBrokenIn } from "../../src/history/verdict.ts";
import { Workload } from "../lab/workload.ts";

const OPEN_TASKS = 30;
/** Until all workers answer again. The election of a leader takes up to ten seconds. */
const RECOVERY_MS = 60_000;
/** Until every claim has ended: more than the longest lease and the reaction of the workers. */
const QUIET_MS = 30_000;
const POLL_MS = 100;

export interface Result extends Evidence {
  readonly problems: readonly Problem[];
  /** `at` in milliseconds since the start. */
  readonly faults: readonly { readonly at: number; readonly name: string }[];
  /** From the last fault to the first task that the coordinator wrote and read. */
  readonly recoveredAfterMs: number;
  /** By the clock of the recording. */
  readonly startedAt: number;
}

export async function runChaos(
  cluster: Cluster,
  { seed, durationMs, sessions, faults: names }: ChaosOptions,
  tell: (line: string) => void,
): Promise<Result> {
  const { urls, sessionUrls } = cluster;
  const openTasks = OPEN_TASKS;
  await using workload = await Workload.start({ urls, sessionUrls, sessions, seed, openTasks });
  cluster.intruder.start();
  const startedAt = performance.now();
  const end = new AbortController();
  const faults: { at: number; name: string }[] = [];
  const possible = possibleFaults(cluster, names);
  const faulty = causeFaults(cluster, possible, createRandomFor(seed, 0), end.signal, (name) => {
    const at = Math.round(performance.now() - startedAt);
    faults.push({ at, name });
    tell(`${(at / 1000).toFixed(1).padStart(7)} s  ${name}`);
  });
  await Promise.race([workload.done, faulty, delay(durationMs)]);
  end.abort();
  await faulty;
  await workload.end();
  await cluster.intruder.retire();

  await cluster.untilConnected();
  const recoveredAfterMs = await cluster.untilAnswered(RECOVERY_MS);
  tell(`all answer ${Math.round(recoveredAfterMs)} ms after the last fault`);
  for (const { name, endings } of [...cluster.nodes, ...cluster.workers]) {
    if (endings.length === 0) continue;
    tell(`${name} has ended by itself ${endings.length} times, and was started again`);
  }
  const silent = await untilAllAnswer(urls, cluster.workers, RECOVERY_MS);
  const stuck = await stuckClaims(workload);
  const entries = await untilTold(workload, urls);
  const evidence = { recording: workload.recording, entries };
  const endings = endingProblems(cluster, startedAt);
  const problems = [...judge(evidence), ...silent, ...stuck, ...endings];
  return { ...evidence, problems, faults, recoveredAfterMs, startedAt };
}

/** Every lease ends. A task that is still claimed after that is stuck. */
export async function stuckClaims(
  { coordinator }: Workload,
  quietMs = QUIET_MS,
): Promise<Problem[]> {
  const stuck = await stuckTasks(coordinator.tasks, quietMs);
  return stuck.map(({ task_id: taskId, claimed_by: holder }) => {
    const what = `is still claimed by ${String(holder)}, long after its lease has ended`;
    return { guarantee: "returned", taskId, what };
  });
}

/** The history in the bucket, when it no longer changes and the subscriber has it all, or time is up. */
export async function untilTold(
  { recording: { updates } }: Workload,
  urls: readonly string[],
  quietMs = QUIET_MS,
): Promise<readonly RecordedEntry[]> {
  const deadline = performance.now() + quietMs;
  const connection = await connectNats({ servers: urls });
  try {
    for (;;) {
      const entries = await readHistory(connection);
      const isTold = (updates.at(-1)?.revision ?? 0) >= (entries.at(-1)?.revision ?? 0);
      const isAtRest = isTold && statesBrokenIn(entries).length === 0;
      if (isAtRest || performance.now() > deadline) return entries;
      await delay(POLL_MS);
    }
  } finally {
    await connection.close();
  }
}
