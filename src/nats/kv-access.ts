/** What a KV bucket needs from its connection, and from the worker that uses it. */
import type { JetStreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import type { BucketUpkeep } from "./bucket-upkeep.ts";
import type { KvWriter } from "./kv-writer.ts";
import type { LeaderReads } from "./leader-reads.ts";
import type { ProvenLead } from "./proven-lead.ts";
import type { PaceOptions } from "./pull-pace.ts";
import type { StartPatience } from "./start-patience.ts";

/** Shared by all buckets of one connection, except for `lead`. */
export interface KvAccess {
  readonly connection: NatsConnection;
  readonly jsm: JetStreamManager;
  readonly writer: KvWriter;
  readonly reads: LeaderReads;
  /** Of this bucket. Default: the node that answers a read is believed to lead. */
  readonly lead?: ProvenLead;
  /** How often watches ask for what was written. Default: `USUAL_PACE`. */
  readonly pace?: PaceOptions;
  /** The most bytes that an entry may have. Watches ask for fewer at a time if it is large. Default: small ones. */
  readonly maxMessageBytes?: number;
  /** Called when a watch broke and begins again. */
  readonly watchFailed: (cause: unknown, bucket: string) => void;
  /** Workers only. Without it, a watch that cannot begin the first time fails. */
  readonly care?: BucketCare;
}

/** How a worker looks after its buckets. */
export interface BucketCare {
  /** For watches that begin for the first time. */
  readonly patience: StartPatience;
  readonly upkeep: BucketUpkeep;
  /** Called with the reason why a bucket cannot be used, and with `null` when it can be used again. */
  readonly problem: (bucket: string, problem: string | null) => void;
}
