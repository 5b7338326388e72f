/**
 * A plain task table in PostgreSQL. A claim updates one row that is available, and the next task is the
 * first row that nobody has locked (`SKIP LOCKED`). All statements are prepared. The pool has as many
 * connections as operations are in flight, up to 32: with fewer, commits cannot share a sync, and more
 * were never faster.
 */
import { Pool, type QueryResult } from "pg";
import type { Contender } from "../contender.ts";
import { definition } from "../definition.ts";
import { expectCount, freshIds, range, scenariosOf } from "../scenarios.ts";

const MAX_CONNECTIONS = 32;

const SCHEMA = `
  DROP TABLE IF EXISTS tasks;
  CREATE TABLE tasks (
    id text PRIMARY KEY,
    status text NOT NULL DEFAULT 'available',
    claimed_by text,
    attempt int NOT NULL DEFAULT 0,
    lease_until timestamptz,
    record jsonb NOT NULL
  );
  CREATE INDEX tasks_available ON tasks (id) WHERE status = 'available';
`;
const CLAIMED = `
  status = 'claimed', claimed_by = $2, attempt = attempt + 1,
  lease_until = now() + interval '300 seconds'
`;
const STATEMENTS = {
  claim: `
    UPDATE tasks SET ${CLAIMED} WHERE id = $1 AND status = 'available' RETURNING id, attempt, record
  `,
  // In the order in which they were created.
  next: `
    UPDATE tasks SET ${CLAIMED} WHERE id = ANY (ARRAY(
      SELECT id FROM tasks WHERE status = 'available' ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED
    )) RETURNING id, attempt, record
  `,
  complete: `
    UPDATE tasks SET status = 'complete', lease_until = NULL
    WHERE id = $1 AND attempt = $2 AND status = 'claimed'
  `,
  create: "INSERT INTO tasks (id, record) VALUES ($1, $2)",
  import: "INSERT INTO tasks (id, record) SELECT * FROM unnest($1::text[], $2::jsonb[])",
};

interface Claim {
  readonly id: string;
  readonly attempt: number;
}

export function postgresContender(url: string): Contender {
  const pool = new Pool({ connectionString: url, max: MAX_CONNECTIONS, idleTimeoutMillis: 0 });
  /** Each connection prepares the statement once, under its name. */
  const run = (name: keyof typeof STATEMENTS, ...values: unknown[]): Promise<QueryResult<Claim>> =>
    pool.query<Claim>({ name, text: STATEMENTS[name], values });
  const insert = async (ids: readonly string[]): Promise<void> => {
    const records = ids.map((_, index) => JSON.stringify(definition(index)));
    const { rowCount } = await run("import", ids, records);
    expectCount("inserted", rowCount ?? 0, ids.length);
  };

  const scenarios = scenariosOf<Claim>({
    begin: async ({ inFlight }, count) => {
      await pool.query(SCHEMA);
      const ids = freshIds(count);
      await insert(ids);
      // In production, autovacuum would have done this long before.
      await pool.query("VACUUM ANALYZE tasks");
      await Promise.all(range(inFlight, () => pool.query("SELECT 1")));
      return ids;
    },
    claim: async (id, session) => (await run("claim", id, session)).rows[0] ?? null,
    next: async (count, session) => (await run("next", count, session)).rows,
    complete: async ({ id, attempt }) => {
      const { rowCount } = await run("complete", id, attempt);
      expectCount("completed", rowCount ?? 0, 1);
    },
    create: (id, index) => run("create", id, JSON.stringify(definition(index))),
    import: insert,
  });
  return { scenarios, close: () => pool.end() };
}
