/**
 * Graphile Worker, set up as its documentation does for throughput: jobs are fetched and completed by
 * the hundred (`localQueue`, `completeJobBatchDelay`), on a connection for each job that runs, and one
 * more. Nobody can fetch a job by hand, so the first operation of `complete` starts the runner, and each
 * waits for its own job: the runner is ahead of who asks, and only the rate means something.
 */
import { EventEmitter } from "node:events";
import {
  Logger,
  makeWorkerUtils,
  run,
  type Runner,
  type WorkerEvents,
  type WorkerUtils,
} from "graphile-worker";
import { Pool } from "pg";
import type { Contender, Prepare, Round } from "../contender.ts";
import { Completions } from "./completions.ts";
import { definition } from "../definition.ts";
import { chunks, expectCount, freshName, range } from "./round.ts";

const TASK = "task";
const JOBS_PER_STATEMENT = 10_000;
const MAX_JOB_CONNECTIONS = 32;
const BATCHES = { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 };
const SILENT = new Logger(() => () => undefined);

/** Of a round: no other has to do with its jobs. */
interface Place {
  readonly schema: string;
  readonly pool: Pool;
  readonly utils: WorkerUtils;
}

interface Payload {
  readonly index: number;
}

class GraphileWorkerPeer implements Contender {
  readonly #url: string;
  #place: Place | null = null;
  #runner: Promise<Runner> | null = null;

  constructor(url: string) {
    this.#url = url;
  }

  readonly #complete: Prepare = async (round) => {
    const { count } = round;
    const place = await this.#begin(round);
    for (const jobs of chunks(range(count, jobOf), JOBS_PER_STATEMENT)) {
      await place.utils.addJobs(jobs);
    }
    // As autovacuum would have done by the time that there are so many.
    await place.pool.query("VACUUM ANALYZE");
    const completions = new Completions();
    let asked = 0;
    return async (index) => {
      this.#runner ??= start(place, round, completions);
      await this.#runner;
      await completions.until(index);
      if (++asked === count) await untilNoneIsLeft(place, completions);
    };
  };

  readonly #create: Prepare = async (round) => {
    const { utils } = await this.#begin(round);
    return async (index) => {
      await utils.addJob(TASK, jobOf(index).payload);
    };
  };

  readonly #import: Prepare = async (round) => {
    const { batch = 1 } = round;
    const { utils } = await this.#begin(round);
    return async () => {
      const added = await utils.addJobs(range(batch, jobOf));
      expectCount("added", added.length, batch);
      return batch;
    };
  };

  readonly scenarios = { complete: this.#complete, create: this.#create, import: this.#import };

  async close(): Promise<void> {
    await this.#clear();
  }

  async #begin({ inFlight }: Round): Promise<Place> {
    await this.#clear();
    const schema = freshName();
    const max = Math.min(inFlight, MAX_JOB_CONNECTIONS) + 1;
    const pool = new Pool({ connectionString: this.#url, max, idleTimeoutMillis: 0 });
    pool.on("error", report);
    pool.on("connect", (client) => client.on("error", report));
    const utils = await makeWorkerUtils({ pgPool: pool, schema, logger: SILENT });
    await utils.migrate();
    await Promise.all(range(max, () => pool.query("SELECT 1")));
    this.#place = { schema, pool, utils };
    return this.#place;
  }

  async #clear(): Promise<void> {
    const runner = this.#runner;
    this.#runner = null;
    await (await runner)?.stop();
    if (this.#place === null) return;
    const { schema, pool, utils } = this.#place;
    this.#place = null;
    await utils.release();
    await pool.query(`DROP SCHEMA ${schema} CASCADE`);
    await pool.end();
  }
}

function report(error: Error): void {
  console.error(error);
}

function start(place: Place, { inFlight }: Round, completions: Completions): Promise<Runner> {
  const events = new EventEmitter() as WorkerEvents;
  events.on("job:complete", ({ job, error }) => {
    if (error === null) completions.complete((job.payload as Payload).index);
    else completions.fail(new Error("a job has failed", { cause: error }));
  });
  events.on("pool:fatalError", ({ error }) => {
    completions.fail(new Error("the runner has failed", { cause: error }));
  });
  return run({
    ...{ pgPool: place.pool, schema: place.schema, logger: SILENT, events },
    preset: { worker: { ...BATCHES, concurrentJobs: inFlight } },
    taskList: { [TASK]: () => undefined },
    parsedCronItems: [],
    noHandleSignals: true,
  });
}

/** Jobs count as complete for the runner when it has told the database, but not waited for it. */
async function untilNoneIsLeft({ pool, schema }: Place, completions: Completions): Promise<void> {
  for (;;) {
    const { rows } = await pool.query(`SELECT FROM ${schema}.jobs LIMIT 1`);
    if (rows.length === 0) return;
    completions.check();
  }
}

function jobOf(index: number): { identifier: string; payload: Payload } {
  return { identifier: TASK, payload: { index, ...definition(index) } };
}

export function graphileWorkerContender(url: string): Promise<Contender> {
  return Promise.resolve(new GraphileWorkerPeer(url));
}
