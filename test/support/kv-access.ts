import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import type { KvAccess } from "../../src/nats/kv-bucket.ts";
import { ensureBuckets, UNREPORTED } from "../../src/nats/kv-buckets.ts";
import { KvWriter } from "../../src/nats/kv-writer.ts";

/** The buckets and what the stores share, on a connection of the test's own. */
export async function openKvAccess(
  connection: NatsConnection,
  watchFailed: (cause: unknown) => void = () => undefined,
): Promise<KvAccess> {
  const jsm = await jetstreamManager(connection);
  await ensureBuckets(jsm, { history: 16, replicas: 1 }, UNREPORTED);
  // Its timer does not keep the process alive, and its subscription ends with the connection.
  return { connection, jsm, writer: new KvWriter(connection, 5_000), watchFailed };
}
