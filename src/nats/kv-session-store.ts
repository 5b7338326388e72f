/** Registered sessions in the bucket `sessions`. The server removes a session when its heartbeats stop. */
import { readStored, storedSession, type StoredSession } from "../protocol/stored-records.ts";
import { iso } from "../protocol/instants.ts";
import type {
  Session,
  SessionEntry,
  SessionStore,
  Watch,
  Stoppable,
  WriteOutcome,
} from "../service/ports.ts";
import type { KvAccess } from "./kv-access.ts";
import { KvBucket } from "./kv-bucket.ts";
import { SESSIONS_BUCKET, SHORT_MARKER_TTL_SECONDS } from "./kv-buckets.ts";
import type { KvMessage } from "./kv-message.ts";
import { leadOf } from "./proven-lead.ts";

export class KvSessionStore implements SessionStore {
  readonly #bucket: KvBucket;

  constructor(access: KvAccess) {
    const lead = leadOf(access, `KV_${SESSIONS_BUCKET}`);
    this.#bucket = new KvBucket(SESSIONS_BUCKET, { ...access, lead }, SHORT_MARKER_TTL_SECONDS);
  }

  async load(sessionId: string): Promise<SessionEntry | null> {
    const message = await this.#bucket.load(sessionId);
    return message === null ? null : toEntry(message);
  }

  lastRevision(): Promise<number> {
    return this.#bucket.lastRevision();
  }

  write(session: Session, expectedRevision: number): Promise<WriteOutcome> {
    const record: StoredSession = {
      capabilities: [...session.capabilities],
      metadata: { ...session.metadata },
      ttl_seconds: session.ttlSeconds,
      registered_at: iso(session.registeredAt),
      ...(session.instance === null ? {} : { instance: session.instance }),
      ...(session.replacedInstances.length === 0
        ? {}
        : { replaced_instances: [...session.replacedInstances] }),
    };
    const { sessionId, ttlSeconds } = session;
    return this.#bucket.write(sessionId, JSON.stringify(record), expectedRevision, { ttlSeconds });
  }

  purge(sessionId: string, expectedRevision: number): Promise<WriteOutcome> {
    return this.#bucket.purge(sessionId, expectedRevision);
  }

  watch(watch: Watch<SessionEntry>): Promise<Stoppable> {
    return this.#bucket.watch(toEntry, watch);
  }
}

function toEntry({
  key: sessionId,
  revision,
  operation,
  text,
  writtenAt,
}: KvMessage): SessionEntry {
  const record = operation === "put" ? readStored(storedSession, text) : null;
  if (record === null) {
    const gone = { kind: "gone", sessionId, revision } as const;
    return operation === "removed" ? { ...gone, isUnregistered: true } : gone;
  }
  return {
    kind: "live",
    revision,
    writtenAt,
    session: {
      sessionId,
      capabilities: record.capabilities,
      metadata: record.metadata,
      ttlSeconds: record.ttl_seconds,
      registeredAt: Date.parse(record.registered_at),
      instance: record.instance ?? null,
      replacedInstances: record.replaced_instances ?? [],
    },
  };
}
