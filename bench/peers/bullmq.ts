/**
 * BullMQ with jobs that are fetched by hand, as its documentation says: a worker without a processor,
 * `getNextJob`, `moveToCompleted`, and a timer that looks for stalled jobs. Queue and worker share a
 * connection of ioredis, which sends each script without waiting for the one before; auto-pipelining
 * stays off, as it is by default. There is no call that fetches several jobs: a batch is several calls.
 */
import { Queue, Worker, type Job } from "bullmq";
import { Redis } from "ioredis";
import type { Contender, Prepare, Round } from "../contender.ts";
import { definition } from "../definition.ts";
import { chunks, expectCount, freshName, range, sessionOf } from "./round.ts";

const JOB = "task";
const JOBS_PER_COMMAND = 1_000;

class BullMqPeer implements Contender {
  readonly #redis: Redis;
  #queue: Queue | null = null;
  #worker: Worker | null = null;

  constructor(url: string) {
    this.#redis = new Redis(url, { maxRetriesPerRequest: null });
  }

  readonly #next: Prepare = async (round) => {
    const { batch = 1 } = round;
    const worker = await this.#beginWithJobs(round);
    return async (index) => {
      await Promise.all(range(batch, () => take(worker, sessionOf(index, round))));
      return batch;
    };
  };

  readonly #complete: Prepare = async (round) => {
    const { batch = 1 } = round;
    const worker = await this.#beginWithJobs(round);
    return async (index) => {
      const token = sessionOf(index, round);
      const jobs = await Promise.all(range(batch, () => take(worker, token)));
      await Promise.all(jobs.map((job) => job.moveToCompleted("done", token, false)));
      return batch;
    };
  };

  readonly #create: Prepare = async () => {
    const queue = await this.#begin();
    return async (index) => {
      const { id } = await queue.add(JOB, definition(index));
      if (id === undefined) throw new Error("a job was not added");
    };
  };

  readonly #import: Prepare = async ({ batch = 1 }) => {
    const queue = await this.#begin();
    return async () => {
      const jobs = await queue.addBulk(range(batch, jobOf));
      expectCount("jobs added", jobs.filter(({ id }) => id !== undefined).length, batch);
      return batch;
    };
  };

  readonly scenarios = {
    ...{ next: this.#next, complete: this.#complete },
    ...{ create: this.#create, import: this.#import },
  };

  async close(): Promise<void> {
    await this.#clear();
    await this.#redis.quit();
  }

  async #begin(): Promise<Queue> {
    await this.#clear();
    this.#queue = new Queue(freshName(), { connection: this.#redis });
    await this.#queue.waitUntilReady();
    return this.#queue;
  }

  async #beginWithJobs({ count, batch = 1 }: Round): Promise<Worker> {
    const queue = await this.#begin();
    for (const jobs of chunks(range(count * batch, jobOf), JOBS_PER_COMMAND)) {
      await queue.addBulk(jobs);
    }
    this.#worker = new Worker(queue.name, null, { connection: this.#redis, autorun: false });
    await this.#worker.waitUntilReady();
    await this.#worker.startStalledCheckTimer();
    return this.#worker;
  }

  async #clear(): Promise<void> {
    await this.#worker?.close();
    await this.#queue?.obliterate({ force: true });
    await this.#queue?.close();
    this.#worker = null;
    this.#queue = null;
  }
}

async function take(worker: Worker, token: string): Promise<Job> {
  const job = (await worker.getNextJob(token)) as Job | undefined;
  if (job === undefined) throw new Error("there was no job");
  return job;
}

function jobOf(index: number): { name: string; data: object } {
  return { name: JOB, data: definition(index) };
}

export function bullmqContender(url: string): Promise<Contender> {
  return Promise.resolve(new BullMqPeer(url));
}
