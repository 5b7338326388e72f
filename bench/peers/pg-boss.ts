/**
 * pg-boss with jobs that are fetched by hand: `fetch`, and `complete` of each when its work is done. Its
 * pool has 32 connections instead of 10, as in `postgres.ts`. All other settings are its defaults,
 * maintenance included.
 */
import PgBoss from "pg-boss";
import type { Contender } from "../contender.ts";
import { definition } from "../definition.ts";
import { chunks, expectCount, freshName, range, scenariosOf } from "../scenarios.ts";

const MAX_CONNECTIONS = 32;
const JOBS_PER_STATEMENT = 10_000;

/** It returns more than its types say. */
interface Completing {
  complete(queue: string, id: string): Promise<{ readonly affected: number }>;
}

export async function pgBossContender(url: string): Promise<Contender> {
  const boss = new PgBoss({ connectionString: url, max: MAX_CONNECTIONS });
  boss.on("error", console.error);
  await boss.start();
  const query = (sql: string): Promise<unknown> => boss.getDb().executeSql(sql, []);
  /** Each queue has a table of its own. */
  let queue: string | null = null;
  const jobs = (count: number): { name: string; data: object }[] =>
    range(count, (index) => ({ name: queue ?? "", data: definition(index) }));

  const scenarios = scenariosOf<string>({
    begin: async ({ inFlight }, count) => {
      await boss.clearStorage();
      if (queue !== null) await boss.deleteQueue(queue);
      queue = freshName();
      await boss.createQueue(queue);
      await Promise.all(range(inFlight, () => query("SELECT 1")));
      if (count === 0) return [];
      for (const some of chunks(jobs(count), JOBS_PER_STATEMENT)) await boss.insert(some);
      // In production, autovacuum would have done this long before.
      await query("VACUUM ANALYZE");
      return [];
    },
    next: async (batchSize) => {
      return (await boss.fetch(queue ?? "", { batchSize })).map(({ id }) => id);
    },
    complete: async (id) => {
      const { affected } = await (boss as unknown as Completing).complete(queue ?? "", id);
      expectCount("completed", affected, 1);
    },
    create: async (_id, index) => {
      const id = await boss.send(queue ?? "", definition(index));
      if (id === null) throw new Error("a job was not sent");
    },
    import: (ids) => boss.insert(jobs(ids.length)),
  });
  return { scenarios, close: () => boss.stop() };
}
