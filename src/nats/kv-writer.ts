/**
 * Compare-and-set on keys of KV buckets: the hot path of every transition. It takes a third less time than
 * `js.publish`.
 */
import { InvalidArgumentError, type Msg, type NatsConnection } from "@nats-io/transport-node";
import { CoordinatorError } from "../protocol/errors.ts";
import type { WriteOutcome } from "../service/ports.ts";
import { outcomeOf, type Refused } from "./acknowledgement.ts";
import { listenToConnection } from "./connection.ts";
import { REMOVAL_REASON, WRITE_ID } from "./kv-message.ts";
import { OutgoingHeaders } from "./outgoing-headers.ts";
import { ReplyInbox } from "./reply-inbox.ts";
import { WriteRefusals, type WriteRefusalsOptions } from "./write-refusals.ts";

/** The server's error code for a message over the stream's size limit. Smaller messages may still be stored. */
const MESSAGE_TOO_LARGE = 10054;

export interface KvWrite {
  readonly subject: string;
  readonly payload: string | Buffer;
  /** The revision that the key must have; 0: the key must not exist. Default: any. */
  readonly expectedRevision?: number;
  /** Stored with the entry, so that the writer can recognize its own write. */
  readonly writeId?: string | undefined;
  /** Seconds after which the server removes the entry. */
  readonly ttlSeconds?: number | undefined;
  /** Replaces the key and its history by a marker. */
  readonly purge?: boolean;
  /** Kept in the marker of a purge. */
  readonly reason?: string | undefined;
}

export class KvWriter {
  readonly #connection: NatsConnection;
  readonly #inbox: ReplyInbox;
  readonly #refusals: WriteRefusals;

  /** @param refuses called when a bucket begins to refuse every write, and when that ends */
  constructor(
    connection: NatsConnection,
    timeoutMs: number,
    refuses: WriteRefusalsOptions["report"] = () => undefined,
  ) {
    this.#connection = connection;
    this.#inbox = new ReplyInbox(connection, timeoutMs);
    this.#refusals = new WriteRefusals({
      probe: (subject) => void this.write(probeOf(subject)).catch(() => undefined),
      report: refuses,
      now: () => performance.now(),
    });
    listenToConnection(connection, {
      disconnected: () => {
        this.#refusals.forget();
      },
      reconnected: () => undefined,
    });
  }

  /**
   * Rejects with `unavailable` if the server refuses the write for any reason but the revision, and with
   * `too_large` if the message exceeds the limit of NATS.
   */
  write(write: KvWrite): Promise<WriteOutcome> {
    const { subject, payload, expectedRevision = 0 } = write;
    // Faster than if the transport encodes the string.
    const bytes = typeof payload === "string" ? Buffer.from(payload) : payload;
    return new Promise((resolve, reject) => {
      const acknowledged = (ack: Msg | null): void => {
        try {
          resolve(this.#outcome(subject, outcomeOf(ack, expectedRevision)));
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      try {
        this.#inbox.request(subject, bytes, acknowledged, headersOf(write));
      } catch (error) {
        reject(this.#notSent(error));
      }
    });
  }

  stop(): void {
    this.#refusals.forget();
    this.#inbox.stop();
  }

  #notSent(cause: unknown): CoordinatorError {
    if (cause instanceof InvalidArgumentError) {
      const limit = this.#connection.info?.max_payload ?? 0;
      const problem = `the entry has more than the ${limit} bytes that NATS carries (max_payload)`;
      return new CoordinatorError("too_large", `${problem}: keep large content elsewhere`, {
        cause,
      });
    }
    return new CoordinatorError("unavailable", "the connection to NATS is closed", { cause });
  }

  #outcome(subject: string, outcome: WriteOutcome | Refused): WriteOutcome {
    if (outcome.kind === "written") this.#refusals.accepted(subject);
    if (outcome.kind !== "refused") return outcome;
    const { code, why } = outcome;
    if (code !== MESSAGE_TOO_LARGE) this.#refusals.refused(subject, why);
    throw new CoordinatorError("unavailable", `NATS refused the write: ${why}`);
  }
}

/** A marker with the shortest TTL that the server accepts. */
function probeOf(subject: string): KvWrite {
  return { subject, payload: "", ttlSeconds: 1, purge: true };
}

function headersOf({
  expectedRevision,
  writeId,
  ttlSeconds,
  purge,
  reason,
}: KvWrite): OutgoingHeaders {
  const headers = new OutgoingHeaders();
  if (expectedRevision !== undefined) {
    headers.add("Nats-Expected-Last-Subject-Sequence", expectedRevision);
  }
  if (writeId !== undefined) headers.add(WRITE_ID, writeId);
  if (ttlSeconds !== undefined) headers.add("Nats-TTL", `${ttlSeconds}s`);
  if (purge === true) {
    headers.add("KV-Operation", "PURGE");
    headers.add("Nats-Rollup", "sub");
    if (reason !== undefined) headers.add(REMOVAL_REASON, reason);
  }
  return headers;
}
