/**
 * Reads many messages of a stream with one request.
 *
 * The library's own `direct.getBatch` is not safe: if it cannot parse a header, it throws inside the callback
 * of a subscription, and that ends the connection's reader. Anyone who may write to a bucket can write such
 * headers. Here, a message with such headers is read by a single request, which returns it without them.
 */
import type { JetStreamManager } from "@nats-io/jetstream";
import type { Msg, MsgHdrs, NatsConnection } from "@nats-io/transport-node";
import { newInbox } from "./inbox.ts";
import { apiPrefixOf } from "./js-domain.ts";

export interface StoredMessage {
  readonly subject: string;
  readonly seq: number;
  /** Throws if the headers are malformed. */
  readonly header: MsgHdrs | undefined;
  readonly time: Date;
  readonly data: Uint8Array;
  string(): string;
}

export interface BatchQuery {
  /** The first sequence. */
  readonly seq: number;
  /** The largest number of messages. */
  readonly batch: number;
  /** Only messages of this subject, which may contain wildcards. */
  readonly next_by_subj: string;
}

/** From the request to the end of the batch. Single reads have the manager's own timeout. */
const TIMEOUT_MS = 3_000;

/**
 * The messages in the order of the stream. The batch ends with the message that reaches about `maxBytes`.
 * Rejects if the server does not answer.
 */
export async function readBatch(
  access: { readonly connection: NatsConnection; readonly jsm: JetStreamManager },
  stream: string,
  query: BatchQuery,
  maxBytes: number,
): Promise<StoredMessage[]> {
  // JSON has no infinity. For the server, a missing field means "no limit".
  const limited = Number.isFinite(maxBytes) ? { ...query, max_bytes: maxBytes } : query;
  const { messages, isWhole } = await direct(access, stream, limited);
  if (isWhole) return messages;
  let next = (messages.at(-1)?.seq ?? query.seq - 1) + 1;
  let bytes = messages.reduce((sum, { data }) => sum + data.length, 0);
  while (messages.length < query.batch && bytes < maxBytes) {
    const one = { seq: next, next_by_subj: query.next_by_subj };
    const stored = await access.jsm.streams.getMessage(stream, one);
    if (stored === null) break;
    messages.push(stored);
    bytes += stored.data.length;
    next = stored.seq + 1;
  }
  return messages;
}

interface Batch {
  readonly messages: StoredMessage[];
  /** `false`: the batch ends before a message with malformed headers. */
  readonly isWhole: boolean;
}

function direct(
  { connection, jsm }: Parameters<typeof readBatch>[0],
  stream: string,
  query: BatchQuery,
): Promise<Batch> {
  return new Promise((resolve, reject) => {
    const messages: StoredMessage[] = [];
    const inbox = newInbox(connection);
    const end = (finish: () => void): void => {
      clearTimeout(timer);
      subscription.unsubscribe();
      finish();
    };
    const timer = setTimeout(() => {
      end(() => {
        reject(new Error(`no answer within ${TIMEOUT_MS} ms`));
      });
    }, TIMEOUT_MS);
    const subscription = connection.subscribe(inbox, {
      callback: (error, msg) => {
        if (error !== null) {
          end(() => {
            reject(error);
          });
          return;
        }
        const headers = readHeaders(msg);
        const status = headers?.code ?? 0;
        if (headers !== undefined && status === 0) {
          messages.push(toStored(msg, headers));
          return;
        }
        end(() => {
          // 204: the end of the batch. 404: there are no messages.
          if (headers === undefined || status === 204 || status === 404) {
            resolve({ messages, isWhole: headers !== undefined });
          } else reject(new Error(`${headers.description} (${status})`));
        });
      },
    });
    const subject = `${apiPrefixOf(jsm)}.DIRECT.GET.${stream}`;
    connection.publish(subject, JSON.stringify(query), { reply: inbox });
  });
}

/** `undefined` if the headers are malformed. Every message of a batch has headers from the server. */
function readHeaders(msg: Msg): MsgHdrs | undefined {
  try {
    return msg.headers;
  } catch {
    return undefined;
  }
}

function toStored(msg: Msg, header: MsgHdrs): StoredMessage {
  return {
    subject: header.last("Nats-Subject"),
    seq: Number(header.last("Nats-Sequence")),
    header,
    time: new Date(header.last("Nats-Time-Stamp")),
    data: msg.data,
    string: () => msg.string(),
  };
}
