/** Opens the bucket `shared` on a client's connection. The first client that needs it creates it. */
import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import { requireJetStream } from "./require-jetstream.ts";
import { inDomain } from "./js-domain.ts";
import { KvBucket } from "./kv-bucket.ts";
import { ensureSharedBucket, SHARED_BUCKET, SHORT_MARKER_TTL_SECONDS } from "./kv-buckets.ts";
import { KvWriter } from "./kv-writer.ts";
import { LeaderReads } from "./leader-reads.ts";

export type { KvBucket } from "./kv-bucket.ts";
export { type KvMessage, newWriteId } from "./kv-message.ts";

const WRITE_TIMEOUT_MS = 2_500;
const READ_TIMEOUT_MS = 2_500;

export interface SharedBucketOptions {
  /** Of the bucket, if it must be created. */
  readonly replicas: number;
  /** The JetStream domain of the bucket. `undefined`: the server's own. */
  readonly jsDomain: string | undefined;
  /** Called when a watch broke and begins again. */
  readonly watchFailed: (cause: unknown) => void;
}

/**
 * The bucket stays open as long as the connection.
 *
 * @throws ConnectionError if the server, the account or an existing bucket is not suitable
 */
export async function openSharedBucket(
  connection: NatsConnection,
  { replicas, jsDomain, watchFailed }: SharedBucketOptions,
): Promise<KvBucket> {
  await requireJetStream(connection, jsDomain);
  const jsm = await jetstreamManager(connection, {
    timeout: READ_TIMEOUT_MS,
    checkAPI: false,
    ...inDomain(jsDomain),
  });
  await ensureSharedBucket(jsm, replicas);
  const writer = new KvWriter(connection, WRITE_TIMEOUT_MS);
  const reads = new LeaderReads(connection, jsm, READ_TIMEOUT_MS);
  void connection.closed().then(() => {
    writer.stop();
    reads.stop();
  });
  return new KvBucket(
    SHARED_BUCKET,
    { connection, jsm, writer, reads, watchFailed },
    SHORT_MARKER_TTL_SECONDS,
  );
}
