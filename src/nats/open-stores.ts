/** Creates the buckets of the coordinator, and the stores that use them. */
import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import type { Observe } from "../service/ports.ts";
import { BucketUpkeep } from "./bucket-upkeep.ts";
import { requireJetStream } from "./require-jetstream.ts";
import { inDomain } from "./js-domain.ts";
import { type BucketOptions, coordinatorBuckets } from "./kv-buckets.ts";
import { KvLeaseStore } from "./kv-lease-store.ts";
import { KvPrincipalStore } from "./kv-principal-store.ts";
import { KvSessionStore } from "./kv-session-store.ts";
import { KvTaskStore } from "./kv-task-store.ts";
import { KvWriter } from "./kv-writer.ts";
import { LeaderReads } from "./leader-reads.ts";
import { type StartPatience, untilElected } from "./start-patience.ts";

/** A write, and a read or the proof that it needs, take less than the 5 s for which the `nats` CLI waits for a reply. */
const WRITE_TIMEOUT_MS = 2_500;
const READ_TIMEOUT_MS = 1_500;

export interface OpenStores {
  readonly tasks: KvTaskStore;
  readonly leases: KvLeaseStore;
  readonly sessions: KvSessionStore;
  readonly principals: KvPrincipalStore;
  /** Ends all reads, and all writes whose acknowledgement is still missing: their outcome is unknown. */
  close(): void;
}

export interface StoreOptions extends BucketOptions {
  /** The largest record of a task or a session. */
  readonly maxRecordBytes: number;
  /** The JetStream domain of the buckets. `undefined`: the server's own. */
  readonly jsDomain: string | undefined;
}

/**
 * Waits while a cluster elects its leaders.
 *
 * @throws ConnectionError if the server, the account or an existing bucket is not suitable
 */
export async function openStores(
  connection: NatsConnection,
  options: StoreOptions,
  patience: StartPatience,
  observe: Observe,
): Promise<OpenStores> {
  const warn = (message: string): void => {
    observe({ kind: "warning", message });
  };
  const jsm = await jetstreamManager(connection, {
    timeout: READ_TIMEOUT_MS,
    checkAPI: false,
    ...inDomain(options.jsDomain),
  });
  const made = (bucket: string): void => {
    observe({ kind: "bucket_made", bucket });
  };
  const configs = coordinatorBuckets(options);
  const remade = (bucket: string): void => {
    observe({ kind: "bucket_remade", bucket });
  };
  const replaced = (bucket: string, madeAt: string): void => {
    observe({ kind: "bucket_replaced", bucket, madeAt });
  };
  const upkeep = new BucketUpkeep(jsm, configs, { made, warn, remade, replaced });
  await untilElected(async () => {
    await requireJetStream(connection, options.jsDomain);
    for (const { name } of configs) await upkeep.make(name);
  }, patience);
  const writer = new KvWriter(connection, WRITE_TIMEOUT_MS, (bucket, reason) => {
    observe({ kind: "writes_refused", bucket, reason });
  });
  const reads = new LeaderReads(connection, jsm, READ_TIMEOUT_MS);
  const watchFailed = (cause: unknown, bucket: string): void => {
    observe({ kind: "watch_failed", bucket, cause });
  };
  const problem = (bucket: string, problem: string | null): void => {
    observe({ kind: "bucket_problem", bucket, problem });
  };
  const care = { patience, upkeep, problem };
  const access = { connection, jsm, writer, reads, watchFailed, care };
  const ofRecords = { ...access, maxMessageBytes: options.maxRecordBytes };
  return {
    tasks: new KvTaskStore(ofRecords),
    leases: new KvLeaseStore(access),
    sessions: new KvSessionStore(ofRecords),
    principals: new KvPrincipalStore(access),
    close: () => {
      writer.stop();
      reads.stop();
    },
  };
}
