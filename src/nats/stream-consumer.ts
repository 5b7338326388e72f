/**
 * One ephemeral push consumer of a stream: delivers the last message of every subject, then every new message,
 * in order. At the first irregularity it ends instead of skipping anything, and its user must begin again.
 *
 * The library's ordered consumer repairs itself, but it takes a minute to notice that its server has died.
 * Leases must not end a minute late.
 */
import { AckPolicy, DeliverPolicy } from "@nats-io/jetstream";
import { type Msg, nanos, type NatsConnection } from "@nats-io/transport-node";
import { newInbox } from "./inbox.ts";
import type { KvAccess } from "./kv-access.ts";

/** How often the server sends a heartbeat when it has no messages. */
const HEARTBEAT_MS = 1_000;
const HEARTBEATS_MISSED = 3;
/** The server removes a consumer after this long without a subscriber. */
const INACTIVE_MS = 30_000;

export interface StreamMessage {
  readonly msg: Msg;
  readonly sequence: number;
  /** Epoch milliseconds. */
  readonly storedAt: number;
  /** How many messages of the initial state are still to come. */
  readonly pending: number;
}

export interface StreamConsumerHandler {
  /** Must not throw. */
  message(message: StreamMessage): void;
  /** No messages are pending at the moment. */
  idle(): void;
  /** The consumer has failed. Called at most once, and not after `stop`. */
  ended(error: Error): void;
}

export interface StreamConsumer {
  /** How many messages the initial state had. */
  readonly pending: number;
  stop(): void;
}

/** Messages may be delivered before this resolves. */
export async function consumeStream(
  { connection, jsm }: KvAccess,
  stream: string,
  filterSubject: string,
  handler: StreamConsumerHandler,
): Promise<StreamConsumer> {
  const inbox = newInbox(connection);
  let delivered = 0;
  let heardAt = performance.now();
  let consumer: string | null = null;

  const subscription = connection.subscribe(inbox, {
    callback: (error, msg) => {
      heardAt = performance.now();
      try {
        if (error !== null) throw error;
        const place = placeOf(msg);
        if (place === null) {
          if (obey(connection, msg, delivered) && consumer !== null) handler.idle();
        } else if (place.delivery !== delivered + 1) throw new Error("a message is missing");
        else {
          delivered++;
          handler.message({ msg, ...place });
        }
      } catch (cause) {
        end(cause);
      }
    },
  });
  const monitor = setInterval(() => {
    if (performance.now() - heardAt > HEARTBEAT_MS * HEARTBEATS_MISSED) {
      end(new Error(`no heartbeat from the consumer of ${stream}`));
    }
  }, HEARTBEAT_MS);

  const stop = (): void => {
    clearInterval(monitor);
    subscription.unsubscribe();
    // Without this request, the server would remove the consumer later.
    if (consumer !== null) jsm.consumers.delete(stream, consumer).catch(() => undefined);
    consumer = null;
  };
  let isOver = false;
  const end = (cause: unknown): void => {
    if (isOver) return;
    isOver = true;
    stop();
    handler.ended(cause instanceof Error ? cause : new Error(String(cause)));
  };

  try {
    const info = await jsm.consumers.add(stream, {
      filter_subject: filterSubject,
      deliver_subject: inbox,
      deliver_policy: DeliverPolicy.LastPerSubject,
      ack_policy: AckPolicy.None,
      flow_control: true,
      idle_heartbeat: nanos(HEARTBEAT_MS),
      inactive_threshold: nanos(INACTIVE_MS),
      mem_storage: true,
      num_replicas: 1,
    });
    consumer = info.name;
    return {
      pending: info.num_pending,
      stop: () => {
        isOver = true;
        stop();
      },
    };
  } catch (error) {
    isOver = true;
    stop();
    throw error;
  }
}

/**
 * Reads the position of a message from its reply subject; `null` for a status message.
 *
 * The subject is `$JS.ACK.<stream>.<consumer>.<count>.<sequence>.<delivery>.<time>.<pending>`. The longer form
 * has domain and account before the stream, and a random token at the end (ADR-15).
 */
function placeOf(
  msg: Msg,
): { delivery: number; sequence: number; storedAt: number; pending: number } | null {
  const tokens = msg.reply?.split(".") ?? [];
  if (tokens[1] !== "ACK" || tokens.length < 9) return null;
  const first = tokens.length === 9 ? 5 : 7;
  return {
    sequence: Number(tokens[first]),
    delivery: Number(tokens[first + 1]),
    storedAt: Number(tokens[first + 2]) / 1e6,
    pending: Number(tokens[first + 3]),
  };
}

/** Handles heartbeats, flow control and the end of the consumer. Returns whether the consumer is idle. */
function obey(connection: NatsConnection, msg: Msg, delivered: number): boolean {
  const code = msg.headers?.code;
  if (code !== 100) throw new Error(`the consumer ended: ${msg.headers?.description ?? "?"}`);
  const last = msg.headers?.get("Nats-Last-Consumer") ?? "";
  if (last !== "" && Number(last) !== delivered) throw new Error("a message is missing");
  // A flow control request, or a heartbeat that repeats a lost one. The server waits for the answer.
  const request =
    msg.reply !== undefined && msg.reply !== ""
      ? msg.reply
      : (msg.headers?.get("Nats-Consumer-Stalled") ?? "");
  if (request !== "") connection.publish(request);
  return request === "";
}
