/**
 * pg-boss with jobs that are fetched by hand: `fetch`, and `complete` of each when its work is done. It
 * has a pool of 32 connections instead of 10, as in `postgres.ts`, and is otherwise as it comes, with
 * its maintenance.
 */
import PgBoss from "pg-boss";
import type { Contender, Prepare, Round } from "../contender.ts";
import { definition } from "../definition.ts";
import { chunks, expectCount, freshName, range } from "./round.ts";

const MAX_CONNECTIONS = 32;
const JOBS_PER_STATEMENT = 10_000;

/** It says more than its types do. */
interface Completing {
  complete(queue: string, id: string): Promise<{ readonly affected: number }>;
}

class PgBossPeer implements Contender {
  readonly #boss: PgBoss;
  #queue: string | null = null;

  constructor(boss: PgBoss) {
    this.#boss = boss;
  }

  static async start(url: string): Promise<PgBossPeer> {
    const boss = new PgBoss({ connectionString: url, max: MAX_CONNECTIONS });
    boss.on("error", (error) => {
      console.error(error);
    });
    return new PgBossPeer(await boss.start());
  }

  readonly #next: Prepare = async (round) => {
    const { batch = 1 } = round;
    const queue = await this.#beginWithJobs(round);
    return async () => (await this.#take(queue, batch)).length;
  };

  readonly #complete: Prepare = async (round) => {
    const { batch = 1 } = round;
    const queue = await this.#beginWithJobs(round);
    return async () => {
      const ids = await this.#take(queue, batch);
      await Promise.all(ids.map((id) => this.#completeOne(queue, id)));
      return ids.length;
    };
  };

  readonly #create: Prepare = async (round) => {
    const queue = await this.#begin(round);
    return async (index) => {
      const id = await this.#boss.send(queue, definition(index));
      if (id === null) throw new Error("a job was not sent");
    };
  };

  readonly #import: Prepare = async (round) => {
    const { batch = 1 } = round;
    const queue = await this.#begin(round);
    return async () => {
      await this.#boss.insert(range(batch, (i) => ({ name: queue, data: definition(i) })));
      return batch;
    };
  };

  readonly scenarios = {
    ...{ next: this.#next, complete: this.#complete },
    ...{ create: this.#create, import: this.#import },
  };

  async close(): Promise<void> {
    await this.#boss.stop();
  }

  /** Resolves to the name of a new queue, which has a table of its own. */
  async #begin({ inFlight }: Round): Promise<string> {
    await this.#boss.clearStorage();
    if (this.#queue !== null) await this.#boss.deleteQueue(this.#queue);
    this.#queue = freshName();
    await this.#boss.createQueue(this.#queue);
    await Promise.all(range(inFlight, () => this.#query("SELECT 1")));
    return this.#queue;
  }

  async #beginWithJobs(round: Round): Promise<string> {
    const { count, batch = 1 } = round;
    const name = await this.#begin(round);
    const jobs = range(count * batch, (index) => ({ name, data: definition(index) }));
    for (const some of chunks(jobs, JOBS_PER_STATEMENT)) await this.#boss.insert(some);
    // As autovacuum would have done by the time that there are so many.
    await this.#query("VACUUM ANALYZE");
    return name;
  }

  async #take(queue: string, batchSize: number): Promise<string[]> {
    const jobs = await this.#boss.fetch(queue, { batchSize });
    expectCount("fetched", jobs.length, batchSize);
    return jobs.map(({ id }) => id);
  }

  async #completeOne(queue: string, id: string): Promise<void> {
    const boss = this.#boss as unknown as Completing;
    const { affected } = await boss.complete(queue, id);
    expectCount("completed", affected, 1);
  }

  async #query(sql: string): Promise<void> {
    await this.#boss.getDb().executeSql(sql, []);
  }
}

export async function pgBossContender(url: string): Promise<Contender> {
  return await PgBossPeer.start(url);
}
