/**
 * BullMQ with jobs that are fetched by hand, as its documentation describes it: a worker without a
 * processor, `getNextJob`, `moveToCompleted`, and a timer that looks for stalled jobs. Queue and worker
 * share a connection of ioredis, which sends each script without waiting for the one before;
 * auto-pipelining stays off, as it is by default. No call fetches several jobs: a batch is several calls.
 */
import { type Job, Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import type { Contender } from "../contender.ts";
import { definition } from "../definition.ts";
import { chunks, expectCount, freshName, range, scenariosOf } from "../scenarios.ts";

const JOB = "task";
const JOBS_PER_COMMAND = 1_000;

export function bullmqContender(url: string): Contender {
  const connection = new Redis(url, { maxRetriesPerRequest: null });
  let queue: Queue | null = null;
  let worker: Worker | null = null;

  const clear = async (): Promise<void> => {
    await worker?.close();
    await queue?.obliterate({ force: true });
    await queue?.close();
    worker = null;
    queue = null;
  };
  const take = async (token: string): Promise<Job> => {
    const job: Job | undefined = await worker?.getNextJob(token);
    if (job === undefined) throw new Error("there was no job");
    return job;
  };

  const scenarios = scenariosOf<Job>({
    begin: async (_round, count) => {
      await clear();
      queue = new Queue(freshName(), { connection });
      await queue.waitUntilReady();
      if (count === 0) return [];
      for (const jobs of chunks(range(count, jobOf), JOBS_PER_COMMAND)) await queue.addBulk(jobs);
      worker = new Worker(queue.name, null, { connection, autorun: false });
      await worker.waitUntilReady();
      await worker.startStalledCheckTimer();
      return [];
    },
    next: (count, session) => Promise.all(range(count, () => take(session))),
    complete: (job, session) => job.moveToCompleted("done", session, false),
    create: async (_id, index) => {
      const job = await queue?.add(JOB, definition(index));
      if (job?.id === undefined) throw new Error("a job was not added");
    },
    import: async (ids) => {
      const jobs = (await queue?.addBulk(range(ids.length, jobOf))) ?? [];
      expectCount("jobs added", jobs.filter(({ id }) => id !== undefined).length, ids.length);
    },
  });
  return {
    scenarios,
    close: async () => {
      await clear();
      await connection.quit();
    },
  };
}

function jobOf(index: number): { name: string; data: object } {
  return { name: JOB, data: definition(index) };
}
