/** Reads the stream `AUDIT`, and says why it cannot be read. */
import {
  type ConsumerMessages,
  DeliverPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  jetstream,
  type JetStreamManager,
  type JsMsg,
  type Consumer,
  type OrderedConsumerOptions,
} from "@nats-io/jetstream";
import { errors, type NatsConnection } from "@nats-io/nats-core";
import { type AuditMessage, decodeAuditMessage } from "../protocol/audit-message.ts";
import { AUDIT_STREAM } from "./audit-stream.ts";
import { ConnectionError } from "./connection.ts";
import { isStreamMissing } from "./find-stream.ts";
import { inDomain } from "./js-domain.ts";

export interface AuditQuery {
  /** From `auditSubjects`. */
  readonly subjects: readonly string[];
  /** Only messages for which it is true. */
  readonly wants: (message: AuditMessage) => boolean;
}

export interface StoredAuditMessage extends AuditMessage {
  /** Its place in the stream. */
  readonly sequence: number;
}

/** The size of the first part of the stream that is searched for the last messages. */
const FIRST_PART = 1_000;
/** Each further part is so many times larger. */
const GROWTH = 4;

export class AuditReader {
  readonly #connection: NatsConnection;
  readonly #domain: string | undefined;
  readonly #query: AuditQuery;

  constructor(connection: NatsConnection, domain: string | undefined, query: AuditQuery) {
    this.#connection = connection;
    this.#domain = domain;
    this.#query = query;
  }

  /** The sequence of the last message; 0 in a stream without any. @throws ConnectionError */
  async last(): Promise<number> {
    return (await this.#extent()).last;
  }

  /**
   * The last messages that fit, in order. It searches from the end, so a stream of any size is answered soon if
   * many messages fit.
   *
   * @throws ConnectionError
   */
  async latest(limit: number): Promise<StoredAuditMessage[]> {
    const { first, last } = await this.#extent();
    for (let size = Math.max(FIRST_PART, limit); ; size *= GROWTH) {
      const start = Math.max(first, last - size + 1);
      const found = await keepLast(limit, this.from({ sequence: start }, last));
      if (found.length >= limit || start <= first) return found;
    }
  }

  /** As `latest`, but none from before that time. @throws ConnectionError */
  async latestSince(time: Date, limit: number): Promise<StoredAuditMessage[]> {
    return keepLast(limit, this.from({ time }, await this.last()));
  }

  /**
   * The messages that fit from a place in the stream or a time on, in order.
   *
   * @param upTo the last sequence; `null`: it goes on with each new message until the caller stops
   * @throws ConnectionError
   */
  async *from(
    start: { readonly sequence: number } | { readonly time: Date },
    upTo: number | null,
  ): AsyncGenerator<StoredAuditMessage> {
    const consumer = await this.#consumer(start);
    const { num_pending: pending } = await consumer.info();
    if (upTo !== null && pending === 0) return;
    const messages: ConsumerMessages = await consumer.consume();
    try {
      for await (const msg of messages) {
        if (upTo !== null && msg.seq > upTo) return;
        const message = this.#read(msg);
        if (message !== null) yield message;
        if (upTo !== null && (msg.info.pending === 0 || msg.seq === upTo)) return;
      }
    } finally {
      messages.stop();
      // The server also removes it by itself.
      await consumer.delete().catch(() => false);
    }
  }

  #read(msg: JsMsg): StoredAuditMessage | null {
    const message = decodeAuditMessage(msg.string());
    if (message === null || !this.#query.wants(message)) return null;
    return { ...message, sequence: msg.seq };
  }

  async #consumer(
    start: { readonly sequence: number } | { readonly time: Date },
  ): Promise<Consumer> {
    const from: Partial<OrderedConsumerOptions> =
      "time" in start
        ? { deliver_policy: DeliverPolicy.StartTime, opt_start_time: start.time.toISOString() }
        : {
            deliver_policy: DeliverPolicy.StartSequence,
            opt_start_seq: Math.max(1, start.sequence),
          };
    const { consumers } = jetstream(this.#connection, inDomain(this.#domain));
    return await this.#explained(() =>
      consumers.get(AUDIT_STREAM, { ...from, filter_subjects: [...this.#query.subjects] }),
    );
  }

  async #extent(): Promise<{ readonly first: number; readonly last: number }> {
    return await this.#explained(async () => {
      const jsm = await this.#jsm();
      const { state } = await jsm.streams.info(AUDIT_STREAM);
      return { first: state.first_seq, last: state.last_seq };
    });
  }

  #jsm(): Promise<JetStreamManager> {
    return jetstream(this.#connection, inDomain(this.#domain)).jetstreamManager(false);
  }

  async #explained<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const problem = problemOf(error);
      if (problem === null) throw error;
      const server = this.#connection.getServer();
      throw new ConnectionError(`the NATS server at ${server} ${problem}`, { cause: error });
    }
  }
}

async function keepLast<T>(limit: number, items: AsyncIterable<T>): Promise<T[]> {
  const kept: T[] = [];
  for await (const item of items) {
    kept.push(item);
    // Now and then, because each cut copies what is kept.
    if (kept.length >= 2 * limit + 100) kept.splice(0, kept.length - limit);
  }
  return kept.slice(Math.max(0, kept.length - limit));
}

function problemOf(error: unknown): string | null {
  if (isStreamMissing(error)) {
    return `has no stream ${AUDIT_STREAM} for this user: workers make it if auth.mode is accounts, or audit.enabled is true`;
  }
  const { JetStreamNotEnabledForAccount } = JetStreamApiCodes;
  const isOff = error instanceof JetStreamApiError && error.code === JetStreamNotEnabledForAccount;
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  if (
    isOff ||
    error instanceof errors.NoRespondersError ||
    cause instanceof errors.NoRespondersError ||
    cause instanceof errors.PermissionViolationError ||
    (error instanceof Error && error.name === "JetStreamNotEnabled")
  ) {
    return "does not let this user read the audit: use the credentials of a worker, such as --creds worker.creds";
  }
  return error instanceof errors.TimeoutError ? "does not answer for JetStream" : null;
}
