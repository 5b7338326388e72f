/** Leases in the bucket `leases`. The server removes each lease when its TTL is over. */
import {
  leaseRecord,
  type LeaseRecord,
  type ReadLeaseRecord,
  readStored,
} from "../protocol/stored-records.ts";
import type {
  Lease,
  LeaseEntry,
  LeaseStore,
  Watch,
  Stoppable,
  WriteOutcome,
} from "../service/ports.ts";
import type { KvAccess } from "./kv-access.ts";
import { KvBucket } from "./kv-bucket.ts";
import { LEASES_BUCKET, SHORT_MARKER_TTL_SECONDS } from "./kv-buckets.ts";
import type { KvMessage } from "./kv-message.ts";
import { PendingWrites } from "./pending-writes.ts";

export class KvLeaseStore implements LeaseStore {
  readonly #bucket: KvBucket;
  readonly #pendingWrites = new PendingWrites<Lease>();

  constructor(access: KvAccess) {
    this.#bucket = new KvBucket(LEASES_BUCKET, access, SHORT_MARKER_TTL_SECONDS);
  }

  async load(taskId: string): Promise<LeaseEntry | null> {
    const message = await this.#bucket.load(taskId);
    return message === null ? null : toEntry(message);
  }

  write(lease: Lease, expectedRevision: number): Promise<WriteOutcome> {
    const { taskId, ttlSeconds } = lease;
    const payload = Buffer.from(JSON.stringify(toRecord(lease, false)));
    return this.#pendingWrites.during(taskId, payload, lease, () =>
      this.#bucket.write(taskId, payload, expectedRevision, { ttlSeconds }),
    );
  }

  /** The record of the lost connection stays as long as a marker does. */
  disconnect(lease: Lease, expectedRevision: number): Promise<WriteOutcome> {
    const text = JSON.stringify(toRecord(lease, true));
    const ttlSeconds = SHORT_MARKER_TTL_SECONDS;
    return this.#bucket.write(lease.taskId, text, expectedRevision, { ttlSeconds });
  }

  purge(taskId: string, expectedRevision: number): Promise<WriteOutcome> {
    return this.#bucket.purge(taskId, expectedRevision);
  }

  watch(watch: Watch<LeaseEntry>): Promise<Stoppable> {
    return this.#bucket.watch((message) => {
      const lease = this.#pendingWrites.valueOf(message);
      if (lease === null) return toEntry(message);
      const { revision, writtenAt } = message;
      return { kind: "live", revision, lease, writtenAt };
    }, watch);
  }
}

function toEntry({ key: taskId, revision, operation, text, writtenAt }: KvMessage): LeaseEntry {
  if (operation === "expired") return { kind: "expired", taskId, revision, writtenAt };
  const record = operation === "put" ? readStored(leaseRecord, text) : null;
  if (record === null) return { kind: "removed", taskId, revision };
  const kind = record.disconnected ? "disconnected" : "live";
  return { kind, revision, lease: fromRecord(taskId, record), writtenAt };
}

function fromRecord(taskId: string, record: ReadLeaseRecord): Lease {
  const { session_id: sessionId, ttl_seconds: ttlSeconds, connection: named } = record;
  const { attempt, epoch, confirmed, progress } = record;
  const connection =
    named === null ? null : { serverId: named.server_id, clientId: named.client_id };
  return { taskId, sessionId, attempt, epoch, ttlSeconds, confirmed, progress, connection };
}

function toRecord(lease: Lease, disconnected: boolean): LeaseRecord {
  const { connection } = lease;
  return {
    session_id: lease.sessionId,
    attempt: lease.attempt,
    epoch: lease.epoch,
    ttl_seconds: lease.ttlSeconds,
    confirmed: lease.confirmed,
    progress: lease.progress,
    ...(connection === null
      ? {}
      : { connection: { server_id: connection.serverId, client_id: connection.clientId } }),
    ...(disconnected ? { disconnected } : {}),
  };
}
