/** Leases in the bucket `leases`. The server removes each lease when its TTL is over. */
import { type LeaseName, leaseKeyOf, parseLeaseKey } from "../protocol/lease-key.ts";
import { type LeaseRecord, readLeaseRecord } from "../protocol/stored-records.ts";
import type {
  EndOfLease,
  Lease,
  LeaseEntry,
  LeaseStore,
  Stoppable,
  Watch,
  WriteOutcome,
} from "../service/ports.ts";
import type { KvAccess } from "./kv-access.ts";
import { KvBucket } from "./kv-bucket.ts";
import { LEASES_BUCKET, SHORT_MARKER_TTL_SECONDS } from "./kv-buckets.ts";
import type { KvMessage } from "./kv-message.ts";
import { PendingWrites } from "./pending-writes.ts";

/** What the marker says if a worker ended the lease because its connection was lost. */
const CONNECTION_LOST = "connection_lost";

export class KvLeaseStore implements LeaseStore {
  readonly #bucket: KvBucket;
  readonly #pendingWrites = new PendingWrites<Lease>();

  constructor(access: KvAccess) {
    this.#bucket = new KvBucket(LEASES_BUCKET, access, SHORT_MARKER_TTL_SECONDS);
  }

  async load(name: LeaseName): Promise<Exclude<LeaseEntry, { kind: "other" }> | null> {
    const message = await this.#bucket.load(leaseKeyOf(name));
    return message === null ? null : toEntry(message, name);
  }

  write(lease: Lease, expectedRevision: number): Promise<WriteOutcome> {
    const { ttlSeconds } = lease;
    const key = leaseKeyOf(lease);
    const payload = Buffer.from(JSON.stringify(toRecord(lease)));
    return this.#pendingWrites.during(key, payload, lease, () =>
      this.#bucket.write(key, payload, expectedRevision, { ttlSeconds }),
    );
  }

  end(
    name: LeaseName,
    expectedRevision: number,
    how: Exclude<EndOfLease, "expired">,
  ): Promise<WriteOutcome> {
    const reason = how === "disconnected" ? CONNECTION_LOST : undefined;
    return this.#bucket.purge(leaseKeyOf(name), expectedRevision, reason);
  }

  watch(watch: Watch<LeaseEntry>): Promise<Stoppable> {
    return this.#bucket.watch((message): LeaseEntry => {
      const { key, revision, writtenAt } = message;
      const lease = this.#pendingWrites.valueOf(message);
      if (lease !== null) return { kind: "live", revision, lease, writtenAt };
      const name = parseLeaseKey(key);
      if (name !== null) return toEntry(message, name);
      if (message.operation === "put") this.#removeOld(key, revision);
      return { kind: "other", revision };
    }, watch);
  }

  /** Version 0.1 named leases by their task alone. Its claims get new leases, as all claims without one do. */
  #removeOld(key: string, revision: number): void {
    // If this fails, the lease ends by its TTL, and harms nobody until then.
    this.#bucket.purge(key, revision).catch(() => undefined);
  }
}

/** Text and reason are read only where they are needed: the watch decodes them at each access. */
function toEntry(message: KvMessage, name: LeaseName): Exclude<LeaseEntry, { kind: "other" }> {
  const { revision, operation, writtenAt } = message;
  const lease = operation === "put" ? readLease(name, message.text) : null;
  if (lease !== null) return { kind: "live", revision, lease, writtenAt };
  // An entry that cannot be read is no lease that anyone could renew.
  const isLost = operation === "removed" && message.reason === CONNECTION_LOST;
  const how = operation === "expired" ? "expired" : isLost ? "disconnected" : "removed";
  return { kind: "ended", name, revision, how, writtenAt };
}

/** `null`: the entry is not readable, or not the lease that its key names. */
export function readLease(name: LeaseName, text: string): Lease | null {
  const record = readLeaseRecord(text);
  if (record?.attempt !== name.attempt || record.epoch !== name.epoch) return null;
  const { session_id: sessionId, fencing_token: fencingToken, ttl_seconds: ttlSeconds } = record;
  const { confirmed, progress, connection: named = null } = record;
  const connection =
    named === null ? null : { serverId: named.server_id, clientId: named.client_id };
  // The name comes last, because V8 takes 0.7 µs for each new field after a spread.
  return { sessionId, fencingToken, ttlSeconds, confirmed, progress, connection, ...name };
}

function toRecord(lease: Lease): LeaseRecord {
  const { connection } = lease;
  return {
    session_id: lease.sessionId,
    attempt: lease.attempt,
    epoch: lease.epoch,
    fencing_token: lease.fencingToken,
    ttl_seconds: lease.ttlSeconds,
    confirmed: lease.confirmed,
    progress: lease.progress,
    ...(connection === null
      ? {}
      : { connection: { server_id: connection.serverId, client_id: connection.clientId } }),
  };
}
