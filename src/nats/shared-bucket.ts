/** Opens the bucket `shared` on a client's connection; it is made when the first client needs it. */
import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import { requireJetStream } from "./connection.ts";
import { inDomain } from "./js-domain.ts";
import { KvBucket } from "./kv-bucket.ts";
import { ensureSharedBucket, SHARED_BUCKET, SHORT_MARKER_TTL_SECONDS } from "./kv-buckets.ts";
import { KvWriter } from "./kv-writer.ts";

export type { KvBucket } from "./kv-bucket.ts";
export { type KvMessage, newWriteId } from "./kv-message.ts";

const WRITE_TIMEOUT_MS = 2_500;
const READ_TIMEOUT_MS = 2_500;

export interface SharedBucketOptions {
  /** Of the bucket, if it has to be made. */
  readonly replicas: number;
  /** Of the bucket; `undefined`: that of the server. */
  readonly jsDomain: string | undefined;
  /** Is told of a watch that broke and begins again. */
  readonly watchFailed: (cause: unknown) => void;
}

/**
 * The bucket stays open as long as the connection.
 *
 * @throws ConnectionError if the server, the account or a bucket that exists will not do
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
  void connection.closed().then(() => {
    writer.stop();
  });
  return new KvBucket(
    SHARED_BUCKET,
    { connection, jsm, writer, watchFailed },
    SHORT_MARKER_TTL_SECONDS,
  );
}
