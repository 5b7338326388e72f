/**
 * Several workers, each in a process of its own, because one process of Node uses one core. A worker that ends
 * is replaced. Requests do not pass through this process: each worker is a member of the queue group.
 */
import { setTimeout as delay } from "node:timers/promises";
import { type App, type AppOptions, startApp, StartupError } from "../app.ts";
import type { Config } from "../config.ts";
import type { Observe } from "../service/ports.ts";
import type { HttpEndpoint } from "../telemetry/http-endpoint.ts";
import { createLogger } from "../telemetry/logger.ts";
import { type Answer, startPoolEndpoint } from "./pool-endpoint.ts";
import type { UrgentFact } from "./messages.ts";
import { WorkerProcess } from "./worker-process.ts";

/** Without this pause, workers that cannot start would keep the machine busy. */
const REPLACE_PAUSE_MS = 1_000;

interface PoolOptions {
  /** Aborts a start that is under way. */
  readonly signal: AbortSignal;
  /** Receives the facts that the command may have to act on. */
  readonly observe?: (fact: UrgentFact) => void;
}

export type Workers = Pick<App, "httpUrl" | "stop"> & Partial<Pick<App, "failed">>;

/**
 * Starts the HTTP endpoint and `config.workers` workers. A single worker runs in this process.
 *
 * @throws StartupError
 */
export function startWorkers(
  config: Config,
  options: Pick<AppOptions, "observe"> & Pick<PoolOptions, "signal">,
): Promise<Workers> {
  return config.workers === 1 ? startApp(config, options) : startWorkerPool(config, options);
}

async function startWorkerPool(config: Config, { signal, observe }: PoolOptions): Promise<Workers> {
  const pool = new WorkerPool(config, createLogger(config.log), observe);
  let http: HttpEndpoint | null = null;
  let stopped: Promise<void> | null = null;
  const stop = async (): Promise<void> => {
    await pool.stop().finally(() => http?.stop());
  };
  const abort = (): void => {
    // The start that this aborts reports how the workers end.
    pool.stop().catch(() => undefined);
  };
  signal.addEventListener("abort", abort, { once: true });
  try {
    if (config.metrics.enabled) http = await startPoolEndpoint(config, () => pool.ask());
    await pool.start();
  } catch (error) {
    // The first error counts, not how the other workers end.
    await stop().catch(() => undefined);
    throw new StartupError(error instanceof Error ? error.message : String(error), {
      cause: error,
    });
  }
  // From now on, the command stops the workers.
  signal.removeEventListener("abort", abort);
  return { httpUrl: http?.url ?? null, stop: () => (stopped ??= stop()) };
}

class WorkerPool {
  readonly #size: number;
  readonly #config: Config;
  readonly #observe: Observe;
  readonly #urgent: PoolOptions["observe"];
  /** The current processes. While a worker is being replaced, there are fewer than `#size`. */
  readonly #workers = new Set<WorkerProcess>();
  readonly #stopping = new AbortController();

  constructor(config: Config, observe: Observe, urgent: PoolOptions["observe"]) {
    this.#size = config.workers;
    const metrics = { ...config.metrics, enabled: false };
    this.#config = { ...config, workers: 1, metrics, ignoredVariables: [] };
    this.#observe = observe;
    this.#urgent = urgent;
    const { ignoredVariables: names } = config;
    // Reported once, not by each worker.
    if (names.length > 0) observe({ kind: "variables_ignored", names });
  }

  /** @throws StartupError */
  async start(): Promise<void> {
    process.on("exit", this.#kill);
    // The first worker finds out if something is wrong with NATS, and creates missing buckets.
    await this.#startWorker();
    await Promise.all(Array.from({ length: this.#size - 1 }, () => this.#startWorker()));
  }

  ask(): Promise<Answer[]> {
    const asked = [...this.#workers].map(async (worker) => ({
      worker,
      report: await worker.report(),
    }));
    return Promise.all(asked);
  }

  /** Resolves when all workers have ended. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const stops = await Promise.allSettled([...this.#workers].map((worker) => worker.stop()));
    process.off("exit", this.#kill);
    for (const result of stops) if (result.status === "rejected") throw result.reason;
  }

  /** @throws StartupError */
  async #startWorker(): Promise<void> {
    const worker = new WorkerProcess(this.#config, this.#urgent);
    this.#workers.add(worker);
    const ended = worker.ended.finally(() => this.#workers.delete(worker));
    await worker.started;
    void ended.then((problem) => this.#replace(problem));
  }

  /** Tries until another worker has started, because the problem may be over at the next attempt. */
  async #replace(problem: string): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const pause = `${REPLACE_PAUSE_MS / 1000} s`;
      this.#observe({ kind: "warning", message: `${problem}: starting another in ${pause}` });
      try {
        await delay(REPLACE_PAUSE_MS, undefined, { signal });
        await this.#startWorker();
        return;
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        problem = `a worker could not start: ${reason}`;
      }
    }
  }

  /** If this process exits at once, the workers end too. */
  readonly #kill = (): void => {
    for (const worker of this.#workers) worker.kill();
  };
}
