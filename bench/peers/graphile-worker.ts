/**
 * Graphile Worker, set up for throughput as its documentation does: it fetches and completes jobs by the
 * hundred (`localQueue`, `completeJobBatchDelay`), and has a connection for each job that runs and one
 * more. Nobody can fetch a job by hand. So the first operation of `complete` starts the runner, and each
 * operation waits for its own job. The runner is ahead of the operations: only the rate means something.
 */
import { EventEmitter } from "node:events";
import { Logger, makeWorkerUtils, run, type Runner, type WorkerEvents } from "graphile-worker";
import { Pool } from "pg";
import type { Contender, Prepare, Round } from "../contender.ts";
import { definition } from "../definition.ts";
import { chunks, expectCount, freshName, range, scenariosOf } from "../scenarios.ts";

const TASK = "task";
const JOBS_PER_STATEMENT = 10_000;
const MAX_JOB_CONNECTIONS = 32;
const BATCHES = { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 };
const SILENT = new Logger(() => () => undefined);

interface Payload {
  readonly index: number;
}

export function graphileWorkerContender(url: string): Contender {
  let place: Place | null = null;
  let runner: Promise<Runner> | null = null;

  const clear = async (): Promise<void> => {
    const running = runner;
    runner = null;
    await (await running)?.stop();
    const old = place;
    place = null;
    await old?.utils.release();
    await old?.pool.query(`DROP SCHEMA ${old.schema} CASCADE`);
    await old?.pool.end();
  };
  const begin = async (round: Round): Promise<Place> => {
    await clear();
    place = await placeFor(url, round);
    return place;
  };

  const complete: Prepare = async (round) => {
    const { count, inFlight } = round;
    const { schema, pool, utils } = await begin(round);
    for (const jobs of chunks(range(count, jobOf), JOBS_PER_STATEMENT)) await utils.addJobs(jobs);
    // In production, autovacuum would have done this long before.
    await pool.query("VACUUM ANALYZE");
    const completions = new Completions();
    let asked = 0;
    return async (index) => {
      runner ??= run({
        ...{ pgPool: pool, schema, logger: SILENT, events: completions.events },
        preset: { worker: { ...BATCHES, concurrentJobs: inFlight } },
        taskList: { [TASK]: () => undefined },
        parsedCronItems: [],
        noHandleSignals: true,
      });
      await runner;
      await completions.until(index);
      if (++asked < count) return;
      // The runner tells the database of completions, but does not wait for it.
      while ((await pool.query(`SELECT FROM ${schema}.jobs LIMIT 1`)).rows.length > 0) {
        completions.check();
      }
    };
  };

  const scenarios = scenariosOf({
    begin: async (round) => {
      await begin(round);
      return [];
    },
    create: async (_id, index) => place?.utils.addJob(TASK, jobOf(index).payload),
    import: async (ids) => {
      const added = (await place?.utils.addJobs(range(ids.length, jobOf))) ?? [];
      expectCount("added", added.length, ids.length);
    },
  });
  return { scenarios: { ...scenarios, complete }, close: clear };
}

type Place = Awaited<ReturnType<typeof placeFor>>;

/** The database of one round. The jobs of other rounds are in schemas of their own. */
async function placeFor(url: string, { inFlight }: Round) {
  const schema = freshName();
  const max = Math.min(inFlight, MAX_JOB_CONNECTIONS) + 1;
  const pool = new Pool({ connectionString: url, max, idleTimeoutMillis: 0 });
  pool.on("error", console.error);
  pool.on("connect", (client) => client.on("error", console.error));
  const utils = await makeWorkerUtils({ pgPool: pool, schema, logger: SILENT });
  await utils.migrate();
  await Promise.all(range(max, () => pool.query("SELECT 1")));
  return { schema, pool, utils };
}

/** Lets an operation wait for its job, which may be complete before that. */
class Completions {
  readonly events: WorkerEvents = new EventEmitter();
  readonly #done = new Set<number>();
  readonly #waiting = new Map<number, () => void>();
  #failure: Error | null = null;

  constructor() {
    this.events.on("job:complete", ({ job, error }) => {
      const { index } = job.payload as Payload;
      if (error !== null) this.#fail("a job has failed", error);
      this.#done.add(index);
      this.#waiting.get(index)?.();
      this.#waiting.delete(index);
    });
    this.events.on("pool:fatalError", ({ error }) => {
      this.#fail("the runner has failed", error);
    });
  }

  /** @throws Error if a job or the runner has failed */
  check(): void {
    if (this.#failure !== null) throw this.#failure;
  }

  async until(index: number): Promise<void> {
    if (this.#failure === null && !this.#done.has(index)) {
      await new Promise<void>((resolve) => this.#waiting.set(index, resolve));
    }
    this.check();
  }

  #fail(problem: string, cause: unknown): void {
    this.#failure = new Error(problem, { cause });
    for (const wake of this.#waiting.values()) wake();
  }
}

function jobOf(index: number): { identifier: string; payload: Payload } {
  return { identifier: TASK, payload: { index, ...definition(index) } };
}
