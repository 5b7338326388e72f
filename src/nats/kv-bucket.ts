/** One KV bucket: fresh reads, compare-and-set writes, purges, and a watch that survives lost connections. */
import { CoordinatorError } from "../protocol/errors.ts";
import type { BucketState, ReadLimit, Stoppable, Watch, WriteOutcome } from "../service/ports.ts";
import type { KvAccess } from "./kv-access.ts";
import { readBatch, type StoredMessage } from "./kv-batch.ts";
import { writePrefixOf } from "./js-domain.ts";
import { MARKER_TTL_SECONDS } from "./kv-buckets.ts";
import {
  type KvMessage,
  operationOf,
  reasonOf,
  type WatchedMessage,
  writeIdOf,
} from "./kv-message.ts";
import { type BucketWatch, watchStream } from "./kv-watch.ts";
import type { KvWrite } from "./kv-writer.ts";
import { SharedRead } from "./shared-read.ts";

/** KV buckets keep at most this many messages of a key. */
const MAX_HISTORY = 64;

export class KvBucket {
  readonly stream: string;
  readonly #name: string;
  readonly #prefix: string;
  /** Like `#prefix`, for writes: another JetStream domain has another prefix for them. */
  readonly #writePrefix: string;
  readonly #access: KvAccess;
  readonly #markerTtlSeconds: number;
  readonly #watches = new Set<BucketWatch>();
  /** The server sends the whole last record, which can be large. */
  readonly #lastReads = new SharedRead(() => this.#lastRevision());

  constructor(name: string, access: KvAccess, markerTtlSeconds = MARKER_TTL_SECONDS) {
    this.#markerTtlSeconds = markerTtlSeconds;
    this.#name = name;
    this.stream = `KV_${name}`;
    this.#prefix = `$KV.${name}.`;
    this.#writePrefix = writePrefixOf(access.jsm) + this.#prefix;
    this.#access = access;
  }

  /** The stream leader's last message of the key, never a follower's. */
  load(key: string): Promise<KvMessage | null> {
    return this.#one(() => this.#access.reads.lastOf(this.stream, this.#prefix + key));
  }

  /** The stream leader's first message of the key at this revision or after it. */
  loadFrom(key: string, revision: number): Promise<KvMessage | null> {
    return this.#one(() => this.#access.reads.firstOf(this.stream, this.#prefix + key, revision));
  }

  /**
   * The stream leader's last revision over all keys; 0 for an empty bucket. Callers wait until the watch has
   * reached it, so the watch does not delay what is before it.
   */
  async lastRevision(): Promise<number> {
    const revision = await this.#lastReads.next();
    for (const watch of this.#watches) watch.hurry(revision);
    return revision;
  }

  async #lastRevision(): Promise<number> {
    // The server finds the last message of the whole stream without a search, unless that message has
    // been removed, as markers are.
    const last = (await this.#lastOf(">")) ?? (await this.#lastOf(`${this.#prefix}>`));
    return last?.revision ?? 0;
  }

  /** The state at the stream leader. The last revision may be that of an entry removed long ago. */
  async state(): Promise<BucketState> {
    const { streams } = this.#access.jsm;
    try {
      const { created, config, state } = await this.#fresh(() => streams.info(this.stream));
      const maxBytes = config.max_bytes > 0 ? config.max_bytes : null;
      return { id: created, lastRevision: state.last_seq, bytes: state.bytes, maxBytes };
    } catch (error) {
      throw unreachable(error);
    }
  }

  write(
    key: string,
    payload: KvWrite["payload"],
    expectedRevision: number,
    { ttlSeconds, writeId }: Pick<KvWrite, "ttlSeconds" | "writeId"> = {},
  ): Promise<WriteOutcome> {
    const subject = this.#writePrefix + key;
    return this.#write({ subject, payload, expectedRevision, ttlSeconds, writeId });
  }

  /** Writes regardless of the revision of the key. */
  put(key: string, payload: string, ttlSeconds?: number): Promise<WriteOutcome> {
    return this.#write({ subject: this.#writePrefix + key, payload, ttlSeconds });
  }

  /**
   * Removes the key with its history. The marker removes itself, so nothing is left.
   *
   * @param reason kept in the marker
   */
  purge(key: string, expectedRevision: number, reason?: string): Promise<WriteOutcome> {
    return this.#write({
      subject: this.#writePrefix + key,
      payload: "",
      expectedRevision,
      ttlSeconds: this.#markerTtlSeconds,
      purge: true,
      reason,
    });
  }

  /**
   * Removes the messages of the key before its last revision. Removes nothing if the key has a later
   * revision, as far as the node that answers knows, and never that later revision.
   *
   * The messages go one by one: if several go at once, the server visits all keys of the bucket, once for
   * each of its consumers (decision 24).
   */
  async dropHistory(key: string, lastRevision: number): Promise<void> {
    const messages = await this.messagesAfter(0, { entries: MAX_HISTORY, bytes: Infinity }, key);
    if (messages.pop()?.revision !== lastRevision) return;
    try {
      for (const { revision } of messages) {
        const oldest = { filter: this.#prefix + key, seq: revision + 1 };
        await this.#access.jsm.streams.purge(this.stream, oldest);
      }
    } catch (error) {
      throw unreachable(error);
    }
  }

  /**
   * The messages after a revision that the bucket still has, in order; only those of `key`, if given. The last
   * ones are missing if the node that answers lags behind.
   */
  async messagesAfter(revision: number, limit: ReadLimit, key = ">"): Promise<KvMessage[]> {
    const { entries: batch, bytes } = limit;
    try {
      const query = { seq: revision + 1, batch, next_by_subj: this.#prefix + key };
      const stored = await readBatch(this.#access, this.stream, query, bytes);
      return stored.map((message) => this.#toMessage(message));
    } catch (error) {
      throw unreachable(error);
    }
  }

  /** Delivers the last entry of every key, then every new one. */
  async watch<Entry>(
    toEntry: (message: WatchedMessage) => Entry,
    watch: Watch<Entry>,
  ): Promise<Stoppable> {
    const lastRevision = (): Promise<number> => this.#lastRevision();
    const watching = await watchStream(
      this.#access,
      { bucket: this.#name, stream: this.stream, prefix: this.#prefix, lastRevision },
      {
        restarted: () => {
          watch.restarted();
        },
        message: (message) => {
          const { key, revision, writtenAt } = message;
          if (watch.isKnown?.(key, revision, writtenAt) !== true) watch.entry(toEntry(message));
        },
        current: () => {
          watch.current();
        },
        failed: (error) => {
          this.#access.watchFailed(error, this.#name);
        },
      },
    );
    this.#watches.add(watching);
    return {
      stop: () => {
        this.#watches.delete(watching);
        return watching.stop();
      },
    };
  }

  #lastOf(subject: string): Promise<KvMessage | null> {
    const { streams } = this.#access.jsm;
    return this.#one(() => streams.getMessage(this.stream, { last_by_subj: subject }));
  }

  #write(write: KvWrite): Promise<WriteOutcome> {
    const { lead, writer } = this.#access;
    if (lead === undefined) return writer.write(write);
    return lead.acknowledged(
      () => writer.write(write),
      ({ kind }) => kind === "written",
    );
  }

  async #one(read: () => Promise<StoredMessage | null>): Promise<KvMessage | null> {
    try {
      const stored = await this.#fresh(read);
      return stored === null ? null : this.#toMessage(stored);
    } catch (error) {
      throw unreachable(error);
    }
  }

  #fresh<T>(read: () => Promise<T>): Promise<T> {
    const { lead } = this.#access;
    return lead === undefined ? read() : lead.read(read);
  }

  #toMessage(stored: StoredMessage): KvMessage {
    return {
      key: stored.subject.slice(this.#prefix.length),
      revision: stored.seq,
      operation: operationOf(() => stored.header),
      text: stored.string(),
      writtenAt: stored.time.getTime(),
      writeId: writeIdOf(() => stored.header),
      reason: reasonOf(() => stored.header),
    };
  }
}

function unreachable(error: unknown): CoordinatorError {
  const problem = error instanceof Error ? error.message : String(error);
  const message = `the NATS server did not answer (${problem}): ask again`;
  return new CoordinatorError("unavailable", message, { cause: error });
}
