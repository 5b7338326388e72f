import { jetstreamManager, type JetStreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import type { KvAccess } from "../../src/nats/kv-access.ts";
import {
  type BucketOptions,
  type BucketReports,
  coordinatorBuckets,
  ensureBucket,
  UNREPORTED,
} from "../../src/nats/kv-buckets.ts";
import { KvWriter } from "../../src/nats/kv-writer.ts";
import { LeaderReads } from "../../src/nats/leader-reads.ts";

/** The buckets, on a connection of the test. */
export async function openKvAccess(
  connection: NatsConnection,
  watchFailed: (cause: unknown) => void = () => undefined,
): Promise<KvAccess> {
  const jsm = await jetstreamManager(connection);
  await makeBuckets(jsm);
  // Their timers do not keep the process alive, and their subscriptions end with the connection.
  const writer = new KvWriter(connection, 5_000);
  return { connection, jsm, writer, reads: new LeaderReads(connection, jsm, 5_000), watchFailed };
}

/** Creates the missing buckets of the coordinator, as a worker does at its start. */
export async function makeBuckets(
  jsm: JetStreamManager,
  options: BucketOptions = { history: 16, replicas: 1 },
  reports: BucketReports = UNREPORTED,
): Promise<void> {
  for (const config of coordinatorBuckets(options)) await ensureBucket(jsm, config, reports);
}
