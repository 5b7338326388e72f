/** Writes rules for principals into the bucket `principals`. Workers watch it. */
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { StoredRules } from "../protocol/principal-rules.ts";
import type { Connection, ConnectOptions } from "./connection.ts";
import { coordinatorBuckets, ensureBucket, PRINCIPALS_BUCKET, UNREPORTED } from "./kv-buckets.ts";
import type { LoginNames } from "./login.ts";
import { connectIfReachable } from "./reachable.ts";

const TIMEOUT_MS = 5_000;

/** Principals such as `agent.s1`, with their rules. */
export type Entries = readonly { readonly principal: string; readonly rules: StoredRules }[];

/**
 * Resolves when the entries are stored. If the bucket is missing, no worker has run yet: a single server gets the
 * bucket here. In a cluster the first worker makes it, because its configuration has the number of replicas.
 *
 * @param options the user is in the account of the workers
 * @returns why the entries are not stored; `null`: they are
 * @throws ConnectionError if the server refuses the user
 */
export async function putPrincipalRules(
  options: ConnectOptions,
  names: LoginNames,
  entries: Entries,
): Promise<string | null> {
  if (entries.length === 0) return null;
  const connection = await connectIfReachable(options, names);
  if (typeof connection === "string") return connection;
  try {
    await put(connection, entries);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await connection.close();
  }
}

async function put(connection: Connection, entries: Entries): Promise<void> {
  if (connection.info?.cluster === undefined) {
    const jsm = await jetstreamManager(connection, { timeout: TIMEOUT_MS });
    const [config] = coordinatorBuckets({ history: 1, replicas: 1 }).filter(
      ({ name }) => name === `KV_${PRINCIPALS_BUCKET}`,
    );
    if (config !== undefined) await ensureBucket(jsm, config, UNREPORTED);
  }
  const stream = jetstream(connection, { timeout: TIMEOUT_MS });
  for (const { principal, rules } of entries) {
    await stream.publish(`$KV.${PRINCIPALS_BUCKET}.${principal}`, JSON.stringify(rules));
  }
}
