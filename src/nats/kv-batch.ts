/**
 * Reads many messages of a stream at once.
 *
 * Not with the library's own `direct.getBatch`: that one throws on headers that it cannot read, inside
 * a subscription's callback, which ends the connection's reader. Whoever can write to a bucket can
 * write such headers. Here they are met with single reads, which give the message without them.
 */
import type { JetStreamManager } from "@nats-io/jetstream";
import type { Msg, MsgHdrs, NatsConnection } from "@nats-io/transport-node";
import { newInbox } from "./inbox.ts";
import { apiPrefixOf } from "./js-domain.ts";

export interface StoredMessage {
  readonly subject: string;
  readonly seq: number;
  /** Throws if they cannot be read. */
  readonly header: MsgHdrs | undefined;
  readonly time: Date;
  readonly data: Uint8Array;
  string(): string;
}

export interface BatchQuery {
  /** Where to begin. */
  readonly seq: number;
  /** How many messages at most. */
  readonly batch: number;
  /** Only messages of this subject, which may have wildcards. */
  readonly next_by_subj: string;
}

/** From the request to the end of its batch; single reads have the manager's own timeout. */
const TIMEOUT_MS = 3_000;

/**
 * In the order of the stream; empty if there are none. Ends with the message that reaches `maxBytes`,
 * about. Rejects if the server does not answer.
 */
export async function readBatch(
  access: { readonly connection: NatsConnection; readonly jsm: JetStreamManager },
  stream: string,
  query: BatchQuery,
  maxBytes: number,
): Promise<StoredMessage[]> {
  // The server takes what is left out as "no limit", and JSON has no other word for it.
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
  /** `false`: it ends before the first message whose headers cannot be read. */
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
          // 204: the end of the batch; 404: there is nothing.
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

/** `undefined`: they cannot be read. The server gives some to each message of a batch. */
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
