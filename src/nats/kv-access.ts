/** What a KV bucket needs of its connection, and of the worker that uses it. */
import type { JetStreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import type { BucketUpkeep } from "./bucket-upkeep.ts";
import type { KvWriter } from "./kv-writer.ts";
import type { StartPatience } from "./start-patience.ts";

/** What all buckets of one connection share. */
export interface KvAccess {
  readonly connection: NatsConnection;
  readonly jsm: JetStreamManager;
  readonly writer: KvWriter;
  /** Is told of a watch that broke and begins again. */
  readonly watchFailed: (cause: unknown, bucket: string) => void;
  /** What a worker does for its buckets. Without it, a watch that cannot begin the first time fails. */
  readonly care?: BucketCare;
}

export interface BucketCare {
  /** Of watches that begin for the first time. */
  readonly patience: StartPatience;
  readonly upkeep: BucketUpkeep;
  /** Is told why a bucket cannot be used, `null` when it can be again. */
  readonly problem: (bucket: string, problem: string | null) => void;
}
