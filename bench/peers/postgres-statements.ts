/** The table of `postgres.ts`, and what is done to it. */

/** Tasks are taken in the order in which they were made. */
export const SCHEMA = `
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
export const CLAIM = `
  UPDATE tasks SET ${CLAIMED} WHERE id = $1 AND status = 'available' RETURNING id, attempt, record
`;
export const NEXT = `
  UPDATE tasks SET ${CLAIMED} WHERE id = ANY (ARRAY(
    SELECT id FROM tasks WHERE status = 'available' ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED
  )) RETURNING id, attempt, record
`;
export const COMPLETE = `
  UPDATE tasks SET status = 'complete', lease_until = NULL
  WHERE id = $1 AND attempt = $2 AND status = 'claimed'
`;
export const CREATE = "INSERT INTO tasks (id, record) VALUES ($1, $2)";
export const IMPORT =
  "INSERT INTO tasks (id, record) SELECT * FROM unnest($1::text[], $2::jsonb[])";
