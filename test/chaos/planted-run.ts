/** Runs a workload on workers with a planted bug, and judges it as `npm run chaos` does. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { stuckClaims, untilTold } from "../../scripts/chaos/run.ts";
import { Workload } from "../../scripts/lab/workload.ts";
import type { OverrideValues } from "../../src/config.ts";
import type { Problem } from "../../src/history/history.ts";
import { judge } from "../../src/history/verdict.ts";
import type { Stores } from "../../src/service/ports.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

/** Adds a bug to the stores of workers. It reports each task that it strikes. */
export type Bug = (struck: (taskId: string) => void) => (stores: Stores) => Stores;

/** Long enough for the consequences of a bug. */
export const DURATION_MS = 4_000;
/** A run continues until its bug has struck this many tasks, because some recover by chance. */
const STRUCK = 5;
const STRUCK_WITHIN_MS = 60_000;
/** A bucket with a bug may never come to rest. */
const QUIET_WITH_BUG_MS = 10_000;

export interface PlantedRun {
  readonly wrapStores: (stores: Stores) => Stores;
  readonly workers: number;
  readonly settings?: OverrideValues;
  /** How many sessions send random requests. */
  readonly sessions: number;
  /** The run goes on until this resolves. */
  readonly work: (workload: Workload, coordinator: TestCoordinator) => Promise<unknown>;
  readonly quietMs?: number | undefined;
}

/** The problems that the judge finds in the run. */
export async function problemsOf(run: PlantedRun): Promise<Problem[]> {
  const { wrapStores, workers, settings, sessions, work, quietMs } = run;
  await using coordinator = await TestCoordinator.start({
    workers,
    settings: {
      ...{ history: 64, "retry.base_ms": 100, "retry.max_ms": 500, retention_seconds: 0 },
      ...settings,
    },
    wrapStores,
  });
  const urls = [coordinator.server.url];
  await using workload = await Workload.start({ urls, sessions, seed: 1, openTasks: 12 });
  const worked = work(workload, coordinator);
  // Without random sessions, the workload is done at once.
  await Promise.race([workload.done.then(() => worked), worked]);
  await workload.end();
  const stuck = await stuckClaims(workload, quietMs);
  const entries = await untilTold(workload, urls, quietMs);
  return [...judge({ recording: workload.recording, entries }), ...stuck];
}

/** The problems of a run with random requests, which goes on until the promise resolves. */
export function problemsWith(
  wrapStores: (stores: Stores) => Stores,
  hasStruck: Promise<unknown>,
  quietMs?: number,
): Promise<Problem[]> {
  return problemsOf({ wrapStores, workers: 2, sessions: 10, work: () => hasStruck, quietMs });
}

/** Runs until the bug has struck enough tasks. Asserts that a problem with this guarantee is found. */
export async function assertFound(guarantee: string, plant: Bug): Promise<void> {
  const tasks = new Set<string>();
  const end = new AbortController();
  const from = performance.now();
  // A task that was struck long before the end may have been cancelled by then.
  const wrapStores = plant((taskId) => {
    const isEnough = tasks.add(taskId).size >= STRUCK;
    if (isEnough && performance.now() - from >= DURATION_MS) end.abort();
  });
  const signal = AbortSignal.any([end.signal, AbortSignal.timeout(STRUCK_WITHIN_MS)]);
  const hasStruck = once(signal, "abort");
  const problems = await problemsWith(wrapStores, hasStruck, QUIET_WITH_BUG_MS);
  assertAmong(problems, guarantee, tasks);
}

/** Asserts that a problem with this guarantee is among those that were found. */
export function assertAmong(
  problems: readonly Problem[],
  guarantee: string,
  struck: ReadonlySet<string>,
): void {
  const found = new Set(problems.map((problem) => problem.guarantee));
  assert.ok(
    found.has(guarantee),
    `${struck.size} tasks were struck; found ${[...found].join(", ")}`,
  );
}
