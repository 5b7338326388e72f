/**
 * Runs a simulation: it imports the tasks into a running coordinator, lets sessions work on them, and
 * judges the history in the bucket.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { ImportedTask } from "../client/import-tasks.ts";
import { connectNats } from "../nats/connection.ts";
import { readHistory } from "../nats/read-history.ts";
import { ActivityLog } from "./activity-log.ts";
import { Board } from "./board.ts";
import { computeFigures, type Figures } from "./figures.ts";
import type { SimulationOptions } from "./options.ts";
import { connectSession } from "./session-link.ts";
import { SessionPlaces } from "./session-places.ts";
import { judge, type Verdict } from "./verdict.ts";

export interface SimulationEnvironment {
  /** The NATS servers of a coordinator that has no tasks yet. */
  readonly servers: readonly string[];
  readonly onProgress?: (progress: Progress) => void;
  /** Ends the work early. The summary then says how many tasks are complete. */
  readonly signal?: AbortSignal;
}

export interface Progress {
  readonly total: number;
  readonly complete: number;
  readonly claimed: number;
  readonly available: number;
  readonly blocked: number;
}

export interface Summary {
  readonly passed: boolean;
  readonly ended: EndReason;
  readonly options: SimulationOptions;
  readonly figures: Figures;
  readonly checks: Verdict["checks"];
  /** What the sessions report. The checks compare it with the history. */
  readonly sessions: { readonly crashed: number; readonly failed: number; readonly lost: number };
}

export type EndReason = "all_complete" | "stalled" | "interrupted";

const POLL_MS = 50;
/** After this time without a write, nothing more will happen: no delay is as long. */
const STALL_MS = 20_000;
/** The same while no task is available or claimed: then tasks only wait to be unblocked. */
const IDLE_STALL_MS = 3_000;
/** How long the subscriber may lag behind the bucket at the end. */
const LAG_MS = 5_000;

/**
 * @throws TaskError if the tasks are refused, or if a session gets a refusal that it never should
 */
export async function runSimulation(
  options: SimulationOptions,
  tasks: readonly ImportedTask[],
  environment: SimulationEnvironment,
): Promise<Summary> {
  const { servers } = environment;
  const watcher = await connectSession(servers, "simulation");
  const { coordinator } = watcher;
  const connection = await connectNats({ servers, name: "verdict" });
  try {
    const board = new Board();
    await coordinator.subscribeTaskUpdates(
      (update) => {
        board.apply(update);
      },
      { since: "beginning" },
    );
    await coordinator.tasks.importTasks(tasks);
    const log = new ActivityLog();
    const capabilities = [...new Set(tasks.flatMap((task) => task.requires ?? []))];
    const places = new SessionPlaces({ options, servers, capabilities, log });
    const { ended, wallSeconds } = await untilEnd(board, places, tasks.length, environment);

    const entries = await readHistory(connection);
    const last = entries.at(-1)?.revision ?? 0;
    await untilTold(board, last);
    // What has come since the history was read, it cannot show.
    const told = board.told.filter(({ revision }) => revision <= last);
    const taskIds = tasks.map((task) => task.task_id);
    const verdict = judge({ entries, taskIds, activities: log.activities, told });
    const measured = { wallSeconds, claimLatencies: log.claimLatencies };
    return {
      passed: verdict.passed,
      ended,
      options,
      figures: computeFigures(tasks, entries, measured),
      checks: verdict.checks,
      sessions: {
        crashed: log.count("crashed"),
        failed: log.count("failed"),
        lost: log.count("lost"),
      },
    };
  } finally {
    await Promise.all([connection.close(), watcher.close()]);
  }
}

/** Resolves when all tasks are complete, nothing happens any longer, or the run is interrupted. */
async function untilEnd(
  board: Board,
  places: SessionPlaces,
  total: number,
  { onProgress, signal }: SimulationEnvironment,
): Promise<{ ended: EndReason; wallSeconds: number }> {
  const end = new AbortController();
  const interrupt = (): void => {
    end.abort();
  };
  signal?.addEventListener("abort", interrupt);
  if (signal?.aborted === true) end.abort();
  // An error of a session also ends the observation. `await working` then throws it.
  const started = performance.now();
  const working = places.run().finally(interrupt);
  working.catch(() => undefined);
  try {
    const ended = await observe(board, total, end.signal, onProgress);
    return { ended, wallSeconds: (performance.now() - started) / 1000 };
  } finally {
    signal?.removeEventListener("abort", interrupt);
    places.stop();
    await working;
  }
}

async function observe(
  board: Board,
  total: number,
  signal: AbortSignal,
  onProgress: SimulationEnvironment["onProgress"],
): Promise<EndReason> {
  while (!signal.aborted) {
    const complete = board.count("complete");
    const claimed = board.count("claimed");
    const available = board.count("available");
    onProgress?.({ total, complete, claimed, available, blocked: board.count("blocked") });
    if (complete >= total) return "all_complete";
    const limitMs = available + claimed === 0 ? IDLE_STALL_MS : STALL_MS;
    if (performance.now() - board.changedAt > limitMs) return "stalled";
    await delay(POLL_MS);
  }
  return "interrupted";
}

/** An update that has not arrived by then counts as lost. */
async function untilTold(board: Board, revision: number): Promise<void> {
  const deadline = performance.now() + LAG_MS;
  while ((board.told.at(-1)?.revision ?? 0) < revision && performance.now() < deadline) {
    await delay(POLL_MS);
  }
}
