/** Leases in the bucket `leases`: the server removes each when its TTL has run out. */
import { leaseRecord, type LeaseRecord, readStored } from "../protocol/stored-records.ts";
import type {
  Lease,
  LeaseEntry,
  LeaseStore,
  Watch,
  Stoppable,
  WriteOutcome,
} from "../service/ports.ts";
import { LEASES_BUCKET } from "./kv-buckets.ts";
import { type KvAccess, KvBucket, type KvMessage, SHORT_MARKER_TTL_SECONDS } from "./kv-bucket.ts";

export class KvLeaseStore implements LeaseStore {
  readonly #bucket: KvBucket;

  constructor(access: KvAccess) {
    this.#bucket = new KvBucket(LEASES_BUCKET, access, SHORT_MARKER_TTL_SECONDS);
  }

  async load(taskId: string): Promise<LeaseEntry | null> {
    const message = await this.#bucket.load(taskId);
    return message === null ? null : toEntry(message);
  }

  write(lease: Lease, expectedRevision: number): Promise<WriteOutcome> {
    const record: LeaseRecord = {
      session_id: lease.sessionId,
      attempt: lease.attempt,
      epoch: lease.epoch,
      ttl_seconds: lease.ttlSeconds,
      confirmed: lease.confirmed,
      progress: lease.progress,
    };
    return this.#bucket.write(
      lease.taskId,
      JSON.stringify(record),
      expectedRevision,
      lease.ttlSeconds,
    );
  }

  purge(taskId: string, expectedRevision: number): Promise<WriteOutcome> {
    return this.#bucket.purge(taskId, expectedRevision);
  }

  watch(watch: Watch<LeaseEntry>): Promise<Stoppable> {
    return this.#bucket.watch(toEntry, watch);
  }
}

function toEntry({ key: taskId, revision, operation, text, writtenAt }: KvMessage): LeaseEntry {
  if (operation === "expired") return { kind: "expired", taskId, revision, writtenAt };
  const record = operation === "put" ? readStored(leaseRecord, text) : null;
  if (record === null) return { kind: "removed", taskId, revision };
  const { session_id: sessionId, ttl_seconds: ttlSeconds } = record;
  const { attempt, epoch, confirmed, progress } = record;
  return {
    kind: "live",
    revision,
    lease: { taskId, sessionId, attempt, epoch, ttlSeconds, confirmed, progress },
    writtenAt,
  };
}
