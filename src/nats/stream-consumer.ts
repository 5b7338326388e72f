/**
 * One ephemeral consumer of a stream, pushed to this connection: the last message of every subject,
 * then every new one, in order. It ends at the first irregularity and never skips anything: whoever
 * uses it begins anew.
 *
 * The library's ordered consumer repairs itself instead, but takes a minute to notice that the server
 * that ran it has died, and leases cannot be late by that much.
 */
import { AckPolicy, DeliverPolicy } from "@nats-io/jetstream";
import { type Msg, nanos, type NatsConnection } from "@nats-io/transport-node";
import { newInbox } from "./inbox.ts";
import type { KvAccess } from "./kv-access.ts";

/** The server says so often that it is there when it has nothing else to say. */
const HEARTBEAT_MS = 1_000;
const HEARTBEATS_MISSED = 3;
/** The server removes a consumer that nobody has listened to for this long. */
const INACTIVE_MS = 30_000;

export interface StreamMessage {
  readonly msg: Msg;
  readonly sequence: number;
  /** Epoch milliseconds. */
  readonly storedAt: number;
  /** Messages that were there and are still to come. */
  readonly pending: number;
}

export interface StreamConsumerHandler {
  /** Must not throw. */
  message(message: StreamMessage): void;
  /** There is nothing more to come at the moment. */
  idle(): void;
  /** Nothing more will come, unless it was stopped. Called once. */
  ended(error: Error): void;
}

export interface StreamConsumer {
  /** Messages that were to come when it began. */
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
    // Its removal only saves the server from doing so itself later.
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
 * Where a message stands, from its reply subject; `null` for a status message.
 *
 * `$JS.ACK.<stream>.<consumer>.<count>.<sequence>.<delivery>.<time>.<pending>`, with the domain and the
 * account before the stream and a random token at the end in the longer form (ADR-15).
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

/** Status messages: heartbeats, flow control, and the consumer's end. Returns whether it is idle. */
function obey(connection: NatsConnection, msg: Msg, delivered: number): boolean {
  const code = msg.headers?.code;
  if (code !== 100) throw new Error(`the consumer ended: ${msg.headers?.description ?? "?"}`);
  const last = msg.headers?.get("Nats-Last-Consumer") ?? "";
  if (last !== "" && Number(last) !== delivered) throw new Error("a message is missing");
  // A flow control request, now or lost before: the server goes on when it is answered.
  const request =
    msg.reply !== undefined && msg.reply !== ""
      ? msg.reply
      : (msg.headers?.get("Nats-Consumer-Stalled") ?? "");
  if (request !== "") connection.publish(request);
  return request === "";
}
