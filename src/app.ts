/** The composition root: wires the parts, starts them in order, and stops them in reverse. */
import { healthOfWorker, newWorkerId, startWorker, type Worker } from "./app/worker.ts";
import type { Config } from "./config.ts";
import type { Clock, Observe, Stores } from "./service/ports.ts";
import { createLogger } from "./telemetry/logger.ts";
import { healthOf, isBusHealthy, type WorkerHealth } from "./telemetry/health.ts";
import { type HttpEndpoint, startHttpEndpoint } from "./telemetry/http-endpoint.ts";
import { createMetrics, type MetricsSnapshot } from "./telemetry/metrics.ts";

/** The coordinator cannot start. The message says why and what to do. */
export class StartupError extends Error {
  override readonly name = "StartupError";
}

export interface App {
  /** URL of the HTTP endpoint for metrics and health; `null` if it is switched off. */
  readonly httpUrl: string | null;
  readonly workerIds: readonly string[];
  /** Rejects with the reason if a worker ends by itself. Otherwise it stays pending. */
  readonly failed: Promise<never>;
  /** The health of each worker. */
  health(): readonly WorkerHealth[];
  /** The current values of the metrics. */
  metrics(): Promise<MetricsSnapshot>;
  /** Answers the requests under way, then stops everything. Idempotent. */
  stop(): Promise<void>;
}

export interface AppOptions {
  /** Whether to write a log. Default: true. */
  readonly log?: boolean;
  /** Receives every fact, as the log and the metrics do. */
  readonly observe?: Observe;
  /** Wraps the stores of the service. Tests inject faults with it. */
  readonly wrapStores?: (stores: Stores) => Stores;
  /** Replaces readings of the clock of the system. */
  readonly clock?: Partial<Clock>;
  /** Aborts a start that is under way. It does not stop what has started. */
  readonly signal?: AbortSignal;
}

/**
 * Starts the HTTP endpoint, then `config.workers` workers. They wait for NATS, as long as
 * `nats.connect_timeout_seconds` allows, and create the buckets.
 *
 * @throws StartupError
 */
export async function startApp(config: Config, options: AppOptions = {}): Promise<App> {
  const { signal = new AbortController().signal } = options;
  const workers: Worker[] = [];
  /** Why the worker that is starting has to wait; `null`: no worker is waiting. */
  let waitsFor: string | null = null;
  const health = (): WorkerHealth[] =>
    waitsFor === null
      ? workers.map(healthOfWorker)
      : [...workers.map(healthOfWorker), { ...STARTING, problems: [waitsFor] }];
  const metrics = createMetrics({
    tasksByStatus: () => workers[0]?.service.tasks.counts() ?? {},
    busHealthy: () => isBusHealthy(health()),
    waitingRequests: () => workers.reduce((sum, { service }) => sum + service.waiting, 0),
    sessions: () => workers[0]?.service.sessions.size ?? 0,
  });
  const observerOf = (workerId: string): Observe => {
    const log = options.log === false ? [] : [createLogger({ ...config.log, workerId })];
    const sinks = [metrics.observe, ...log, ...(options.observe ? [options.observe] : [])];
    return (fact) => {
      for (const sink of sinks) {
        try {
          sink(fact);
        } catch {
          // A sink that throws must not break the service.
        }
      }
    };
  };
  const { ignoredVariables: names } = config;
  const start = async (id: string): Promise<Worker> => {
    const observe = observerOf(id);
    // Only the first worker reports it.
    if (workers.length === 0 && names.length > 0) observe({ kind: "variables_ignored", names });
    const waiting = (problem: string | null): void => {
      const isNew = waitsFor === null || problem === null;
      waitsFor = problem;
      if (isNew) observe({ kind: "start_waits", problem });
    };
    const patience = { connectMs: config.nats.connectTimeoutSeconds * 1000, signal, waiting };
    const { wrapStores = (stores: Stores) => stores } = options;
    const clock = { ...SYSTEM_CLOCK, ...options.clock };
    const startedAt = performance.now();
    try {
      const worker = await startWorker(config, { id, observe, patience, wrapStores, clock });
      if (waitsFor !== null) waiting(null);
      return worker;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (waitsFor === null) throw error;
      const seconds = Math.round((performance.now() - startedAt) / 1000);
      throw new Error(`${message} (waited ${seconds} s for it)`, { cause: error });
    }
  };

  let http: HttpEndpoint | null = null;
  let stopped: Promise<void> | null = null;
  const stop = async (): Promise<void> => {
    const stops = await Promise.allSettled(workers.map((worker) => worker.stop()));
    await http?.stop();
    for (const result of stops) if (result.status === "rejected") throw result.reason;
  };
  try {
    if (config.metrics.enabled) {
      const settings = config.metrics;
      http = await startHttpEndpoint({ ...settings, metrics, health: () => healthOf(health()) });
    }
    for (let i = 0; i < config.workers; i++) workers.push(await start(newWorkerId()));
  } catch (error) {
    await stop();
    throw new StartupError(error instanceof Error ? error.message : String(error), {
      cause: error,
    });
  }
  const failed = Promise.race(workers.map((worker) => worker.failed));
  // An unobserved rejection must not crash the process.
  failed.catch(() => undefined);
  return {
    httpUrl: http?.url ?? null,
    workerIds: workers.map(({ id }) => id),
    failed,
    health,
    metrics: () => metrics.snapshot(),
    stop: () => (stopped ??= stop()),
  };
}

/** The health of a worker that is not connected yet. */
const STARTING = { id: null, connected: false, index_current: false, warnings: [] } as const;

const SYSTEM_CLOCK: Clock = {
  now: Date.now,
  steady: () => performance.now(),
  random: Math.random,
};
