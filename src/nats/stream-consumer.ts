/**
 * One ephemeral pull consumer of a stream: delivers the last message of every subject, then every new message,
 * in order. At the first irregularity it ends instead of skipping anything, and its user must begin again.
 *
 * The server sends nothing that was not requested. So the worker decides how often it is woken (decision 36).
 * There is at most one request under way. The server answers it as soon as it has a message, with all that it
 * has, and ends each answer with a status.
 *
 * The library's ordered consumer repairs itself, but it takes a minute to notice that its server has died.
 * Leases must not end a minute late.
 */
import { AckPolicy, DeliverPolicy } from "@nats-io/jetstream";
import { type Msg, nanos, type NatsConnection } from "@nats-io/transport-node";
import { DeliveredPlaces, type DeliveredPlace } from "./delivered-place.ts";
import { newInbox } from "./inbox.ts";
import { apiPrefixOf } from "./js-domain.ts";
import type { KvAccess } from "./kv-access.ts";
import { PullPace, USUAL_PACE } from "./pull-pace.ts";

/** How often the server sends a heartbeat when it has no messages. */
const HEARTBEAT_MS = 1_000;
const HEARTBEATS_MISSED = 3;
/** The server removes a consumer after this long without a request. */
const INACTIVE_MS = 30_000;
/** How long a request waits for the first message. */
const WAIT_MS = 20_000;
/** The most that the server sends for one request. It disconnects a client for which it must keep 64 MiB. */
const BATCH_BYTES = 32 * 1024 * 1024;
/**
 * The same in messages, of the largest size that they may have. A limit in bytes (`max_bytes`) is no alternative:
 * the server skips the message that exceeds it, and never sends it again.
 */
const BATCH_MESSAGES = 500;
/** Subject, headers and reply subject of a message. */
const MESSAGE_EXTRA_BYTES = 1_024;
/** What the server says when it has sent a whole batch, although there are more messages. */
const BATCH_END = "Batch Completed";

export interface StreamMessage {
  readonly msg: Msg;
  readonly sequence: number;
  /** Epoch milliseconds. */
  readonly storedAt: number;
  /** How many messages of the initial state are still to come. */
  readonly pending: number;
}

export interface StreamConsumerHandler {
  /** Returns whether the message is news. Must not throw. */
  message(message: StreamMessage): boolean;
  /** No messages are pending at the moment. */
  idle(): void;
  /** The consumer has failed. Called at most once, and not after `stop`. */
  ended(error: Error): void;
}

export interface StreamConsumer {
  /** How many messages the initial state had. */
  readonly pending: number;
  /** Somebody waits for the message: does not delay before it has been delivered. */
  hurry(sequence: number): void;
  stop(): void;
}

/** Messages may be delivered before this resolves. */
export async function consumeStream(
  { connection, jsm, pace = USUAL_PACE, maxMessageBytes = 0 }: KvAccess,
  stream: string,
  filterSubject: string,
  handler: StreamConsumerHandler,
): Promise<StreamConsumer> {
  const info = await jsm.consumers.add(stream, {
    filter_subject: filterSubject,
    deliver_policy: DeliverPolicy.LastPerSubject,
    ack_policy: AckPolicy.None,
    inactive_threshold: nanos(INACTIVE_MS),
    mem_storage: true,
    num_replicas: 1,
  });
  const { name, config, num_pending: pending } = info;
  const puller = new Puller(connection, {
    stream,
    subject: `${apiPrefixOf(jsm)}.CONSUMER.MSG.NEXT.${stream}.${name}`,
    maxBatch: Math.min(BATCH_MESSAGES, config.max_batch ?? Infinity),
    maxMessageBytes,
    pace: new PullPace(pace),
    handler,
    // Without this request, the server would remove the consumer later.
    stopped: () => void jsm.consumers.delete(stream, name).catch(() => undefined),
  });
  return {
    pending,
    hurry: (sequence) => {
      puller.hurry(sequence);
    },
    stop: () => {
      puller.stop();
    },
  };
}

interface PullerOptions {
  readonly stream: string;
  /** Where requests are sent. */
  readonly subject: string;
  readonly maxBatch: number;
  /** The size that messages are expected to have at most. */
  readonly maxMessageBytes: number;
  readonly pace: PullPace;
  readonly handler: StreamConsumerHandler;
  readonly stopped: () => void;
}

class Puller {
  readonly #connection: NatsConnection;
  readonly #options: PullerOptions;
  readonly #inbox: string;
  readonly #places = new DeliveredPlaces();
  readonly #monitor: NodeJS.Timeout;
  readonly #unsubscribe: () => void;
  #next: NodeJS.Timeout | null = null;
  #requests = 0;
  /** Where the last request is answered. The server sends its status there. */
  #replySubject = "";
  /** The most messages that the last request may bring, and those that it has brought. */
  #batch = 0;
  #received = 0;
  /** Of the messages until now, and of those to come. */
  #largestBytes: number;
  #delivered = 0;
  #heardAt = performance.now();
  #isOver = false;

  constructor(connection: NatsConnection, options: PullerOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#largestBytes = options.maxMessageBytes;
    this.#inbox = newInbox(connection);
    const subscription = connection.subscribe(`${this.#inbox}.*`, {
      callback: (error, msg) => {
        this.#heardAt = performance.now();
        try {
          if (error !== null) throw error;
          const place = this.#places.read(msg.reply);
          if (place === null) this.#obey(msg);
          else this.#deliver(msg, place);
        } catch (cause) {
          this.#end(cause);
        }
      },
    });
    this.#unsubscribe = () => {
      subscription.unsubscribe();
    };
    this.#monitor = setInterval(() => {
      this.#checkHeartbeat();
    }, HEARTBEAT_MS);
    this.#pull();
  }

  hurry(sequence: number): void {
    this.#options.pace.await(sequence);
    if (this.#next !== null && this.#options.pace.delay(performance.now()) === 0) this.#pull();
  }

  stop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearInterval(this.#monitor);
    if (this.#next !== null) clearTimeout(this.#next);
    this.#unsubscribe();
    this.#options.stopped();
  }

  #end(cause: unknown): void {
    if (this.#isOver) return;
    this.stop();
    this.#options.handler.ended(cause instanceof Error ? cause : new Error(String(cause)));
  }

  #pull(): void {
    if (this.#next !== null) clearTimeout(this.#next);
    this.#next = null;
    this.#received = 0;
    this.#requests++;
    this.#replySubject = `${this.#inbox}.${this.#requests}`;
    const { subject, maxBatch, pace } = this.#options;
    const ofLargest = Math.floor(BATCH_BYTES / (this.#largestBytes + MESSAGE_EXTRA_BYTES));
    this.#batch = Math.max(1, Math.min(maxBatch, ofLargest));
    pace.asked(performance.now());
    this.#connection.publish(subject, requestFor(this.#batch), { reply: this.#replySubject });
  }

  #deliver(msg: Msg, place: DeliveredPlace): void {
    if (place.delivery !== this.#delivered + 1) throw new Error("a message is missing");
    this.#delivered++;
    this.#received++;
    // An operator may have lowered the limit since the record was written.
    this.#largestBytes = Math.max(this.#largestBytes, msg.data.length);
    const isNews = this.#options.handler.message({ msg, ...place });
    this.#options.pace.delivered(place.sequence, this.#heardAt, isNews);
    // If the stream has no further message, the server says nothing at the end of a full batch.
    if (this.#received === this.#batch) this.#pull();
  }

  /** Handles heartbeats, the end of an answer, and the end of the consumer. */
  #obey({ headers, subject }: Msg): void {
    // `#checkHeartbeat` has replaced the request.
    if (subject !== this.#replySubject) return;
    const code = headers?.code;
    const description = headers?.description ?? "?";
    if (code === 100) {
      const last = headers?.get("Nats-Last-Consumer") ?? "";
      if (last !== "" && Number(last) !== this.#delivered) throw new Error("a message is missing");
      this.#options.handler.idle();
    } else if (code === 404) this.#pullLater();
    else if (code === 408 || description === BATCH_END) this.#pull();
    else throw new Error(`the consumer ended: ${description}`);
  }

  #checkHeartbeat(): void {
    // Without a request, the server sends none.
    if (this.#next !== null) return;
    const silence = performance.now() - this.#heardAt;
    if (silence > HEARTBEAT_MS * HEARTBEATS_MISSED) {
      this.#end(new Error(`no heartbeat from the consumer of ${this.#options.stream}`));
    }
  }

  /** The server has sent everything that it has at the moment. */
  #pullLater(): void {
    const delay = this.#options.pace.delay(performance.now());
    if (delay === 0) this.#pull();
    else {
      this.#next = setTimeout(() => {
        this.#pull();
      }, delay);
    }
  }
}

function requestFor(batch: number): string {
  return JSON.stringify({
    batch,
    // Ends the answer with the last message that is there, instead of waiting until the batch is full.
    no_wait: true,
    expires: nanos(WAIT_MS),
    idle_heartbeat: nanos(HEARTBEAT_MS),
  });
}
