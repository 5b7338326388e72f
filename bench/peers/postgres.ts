/**
 * A plain task table in PostgreSQL: a claim is an update of one row that is available, and the next task
 * is the first one that nobody has locked (`SKIP LOCKED`). All statements are prepared, and go over a
 * pool of as many connections as operations are under way, up to 32: with fewer, commits cannot share
 * a sync, and more were never faster.
 */
import { Pool, type QueryResult } from "pg";
import type { Contender, Prepare, Round } from "../contender.ts";
import { CLAIM, COMPLETE, CREATE, IMPORT, NEXT, SCHEMA } from "./postgres-statements.ts";
import { definition } from "../definition.ts";
import {
  contest,
  contestCount,
  expectCount,
  freshName,
  range,
  sessionOf,
  taskId,
} from "./round.ts";

const MAX_CONNECTIONS = 32;

interface Claim {
  readonly id: string;
  readonly attempt: number;
}

class PostgresPeer implements Contender {
  readonly #pool: Pool;

  constructor(url: string) {
    this.#pool = new Pool({ connectionString: url, max: MAX_CONNECTIONS, idleTimeoutMillis: 0 });
  }

  readonly #claim: Prepare = async (round) => {
    const ids = await this.#begin(round, round.count);
    return async (index) => {
      const { rows } = await this.#claimOf(ids[index] ?? "", sessionOf(index, round));
      expectCount("claims", rows.length, 1);
    };
  };

  readonly #contended: Prepare = async (round) => {
    const ids = await this.#begin(round, contestCount(round));
    return contest(round, async (task, index) => {
      const { rows } = await this.#claimOf(ids[task] ?? "", sessionOf(index, round));
      return rows.length === 1;
    });
  };

  readonly #next: Prepare = async (round) => {
    const { count, batch = 1 } = round;
    await this.#begin(round, count * batch);
    return async (index) => (await this.#take(batch, sessionOf(index, round))).length;
  };

  readonly #complete: Prepare = async (round) => {
    const { count, batch = 1 } = round;
    await this.#begin(round, count * batch);
    return async (index) => {
      const claims = await this.#take(batch, sessionOf(index, round));
      await Promise.all(
        claims.map(async ({ id, attempt }) => {
          const { rowCount } = await this.#run("complete", COMPLETE, [id, attempt]);
          expectCount("completed", rowCount ?? 0, 1);
        }),
      );
      return claims.length;
    };
  };

  readonly #create: Prepare = async (round) => {
    await this.#begin(round, 0);
    const name = freshName();
    return async (index) => {
      await this.#run("create", CREATE, [taskId(name, index), JSON.stringify(definition(index))]);
    };
  };

  readonly #import: Prepare = async (round) => {
    const { batch = 1 } = round;
    await this.#begin(round, 0);
    const name = freshName();
    return async (index) => {
      const ids = range(batch, (i) => taskId(name, index * batch + i));
      await this.#insert(ids);
      return batch;
    };
  };

  readonly scenarios = {
    ...{ claim: this.#claim, contended: this.#contended, next: this.#next },
    ...{ complete: this.#complete, create: this.#create, import: this.#import },
  };

  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #begin({ inFlight }: Round, count: number): Promise<string[]> {
    await this.#pool.query(SCHEMA);
    const name = freshName();
    const ids = range(count, (index) => taskId(name, index));
    await this.#insert(ids);
    // As autovacuum would have done by the time that there are so many.
    await this.#pool.query("VACUUM ANALYZE tasks");
    await Promise.all(range(inFlight, () => this.#pool.query("SELECT 1")));
    return ids;
  }

  async #insert(ids: readonly string[]): Promise<void> {
    const records = ids.map((_, index) => JSON.stringify(definition(index)));
    const { rowCount } = await this.#run("import", IMPORT, [ids, records]);
    expectCount("inserted", rowCount ?? 0, ids.length);
  }

  #claimOf(id: string, session: string): Promise<QueryResult<Claim>> {
    return this.#run("claim", CLAIM, [id, session]);
  }

  async #take(count: number, session: string): Promise<Claim[]> {
    const { rows } = await this.#run("next", NEXT, [count, session]);
    expectCount("taken", rows.length, count);
    return rows;
  }

  /** Prepared under this name, once on each connection. */
  #run(name: string, text: string, values: unknown[]): Promise<QueryResult<Claim>> {
    return this.#pool.query<Claim>({ name, text, values });
  }
}

export function postgresContender(url: string): Promise<Contender> {
  return Promise.resolve(new PostgresPeer(url));
}
