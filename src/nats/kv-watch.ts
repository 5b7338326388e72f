/**
 * A watch on a KV bucket's stream: the last message of every key, then every new one, in order.
 *
 * The library's ordered consumer closes gaps by itself while the connection lives. After a reconnect
 * the watch begins again from the current state instead of where it stood: a key purged long ago
 * leaves no message to resume from, and a server restored from a backup would be behind.
 */
import { type ConsumerMessages, DeliverPolicy, type JsMsg } from "@nats-io/jetstream";
import type { Stoppable } from "../service/ports.ts";
import { listenToConnection } from "./connection.ts";
import { type KvAccess, type KvMessage, operationOf } from "./kv-bucket.ts";

export interface KvWatchHandler {
  /** The watch begins, for the first time or again: the current state follows. */
  restarted(): void;
  message(message: KvMessage): void;
  /** All that was there when the watch began has been delivered. */
  current(): void;
  /** The watch broke and will begin again. */
  failed(error: unknown): void;
}

const RETRY_MS = 500;

/** Resolves once the watch is set up; the current state follows. */
export async function watchStream(
  access: KvAccess,
  stream: string,
  subjectPrefix: string,
  handler: KvWatchHandler,
): Promise<Stoppable> {
  const watch = new StreamWatch(access, stream, subjectPrefix, handler);
  await watch.begin();
  listenToConnection(access.connection, {
    disconnected: () => undefined,
    reconnected: () => {
      watch.restart();
    },
  });
  return watch;
}

class StreamWatch {
  readonly #access: KvAccess;
  readonly #stream: string;
  readonly #prefix: string;
  readonly #handler: KvWatchHandler;
  #messages: ConsumerMessages | null = null;
  #retry: NodeJS.Timeout | null = null;
  /** Grows with each beginning, so that what an abandoned consumer still delivers is dropped. */
  #generation = 0;
  #stopped = false;

  constructor(access: KvAccess, stream: string, subjectPrefix: string, handler: KvWatchHandler) {
    this.#access = access;
    this.#stream = stream;
    this.#prefix = subjectPrefix;
    this.#handler = handler;
  }

  async begin(): Promise<void> {
    const generation = ++this.#generation;
    const consumer = await this.#access.js.consumers.getPushConsumer(this.#stream, {
      deliver_policy: DeliverPolicy.LastPerSubject,
    });
    const { num_pending: pending } = await consumer.info(true);
    if (this.#isOver(generation)) {
      await consumer.delete();
      return;
    }
    this.#handler.restarted();
    let isCurrent = pending === 0;
    const messages = await consumer.consume({
      callback: (msg) => {
        if (generation !== this.#generation) return;
        this.#deliver(msg);
        if (!isCurrent && msg.info.pending === 0) {
          isCurrent = true;
          this.#handler.current();
        }
      },
    });
    if (this.#isOver(generation)) {
      await messages.close();
      return;
    }
    this.#messages = messages;
    if (isCurrent) this.#handler.current();
    void messages.closed().then((error) => {
      if (this.#isOver(generation)) return;
      this.#handler.failed(error ?? new Error(`the watch on ${this.#stream} ended`));
      this.restart();
    });
  }

  /** Begins again from the current state; retries until that works. */
  restart(): void {
    if (this.#stopped) return;
    void this.#abandon();
    const generation = this.#generation;
    this.begin().catch((error: unknown) => {
      if (this.#stopped || generation + 1 !== this.#generation) return;
      this.#handler.failed(error);
      this.#retry = setTimeout(() => {
        this.restart();
      }, RETRY_MS);
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#abandon();
  }

  #abandon(): Promise<unknown> {
    this.#generation++;
    if (this.#retry !== null) clearTimeout(this.#retry);
    const messages = this.#messages;
    this.#messages = null;
    return messages === null ? Promise.resolve() : messages.close();
  }

  #isOver(generation: number): boolean {
    return this.#stopped || generation !== this.#generation;
  }

  /** Must not throw: the consumer would stop. */
  #deliver(msg: JsMsg): void {
    try {
      this.#handler.message({
        key: msg.subject.slice(this.#prefix.length),
        revision: msg.seq,
        operation: operationOf(() => msg.headers),
        text: msg.string(),
        writtenAt: msg.info.timestampNanos / 1e6,
      });
    } catch (error) {
      this.#handler.failed(error);
    }
  }
}
