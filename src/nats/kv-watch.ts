/**
 * A watch on a KV bucket's stream: the last message of every key, then every new one, in order, for as
 * long as it is not stopped.
 *
 * Whatever breaks it, it begins again from the current state instead of where it stood: a key purged
 * long ago leaves no message to resume from, and a server restored from a backup would be behind.
 */
import type { Msg } from "@nats-io/transport-node";
import type { Stoppable } from "../service/ports.ts";
import { saysNoStream } from "./bucket-upkeep.ts";
import { ConnectionError, listenToConnection } from "./connection.ts";
import type { KvAccess } from "./kv-access.ts";
import { operationOf, type WatchedMessage, writeIdOf } from "./kv-message.ts";
import { mayEndWithElection, untilElected } from "./start-patience.ts";
import { consumeStream, type StreamConsumer, type StreamMessage } from "./stream-consumer.ts";

export interface KvWatchHandler {
  /** The watch is interrupted or begins: the current state follows. */
  restarted(): void;
  message(message: WatchedMessage): void;
  /** All that was there when the watch began has been delivered. */
  current(): void;
  /** The watch broke and will begin again. */
  failed(error: unknown): void;
}

const RETRY_MS = 500;
/** While nothing helps but that somebody does something about the bucket. */
const PROBLEM_RETRY_MS = 2_000;

export interface WatchedStream {
  readonly bucket: string;
  readonly stream: string;
  /** Of the subjects; the keys follow it. */
  readonly prefix: string;
  /** Of all messages that the stream has; 0 if it has none. */
  readonly lastRevision: () => Promise<number>;
}

/** Resolves once the watch is set up; the current state follows. */
export async function watchStream(
  access: KvAccess,
  watched: WatchedStream,
  handler: KvWatchHandler,
): Promise<Stoppable> {
  const watch = new StreamWatch(access, watched, handler);
  await watch.beginFirst();
  void access.connection.closed().then(() => watch.stop());
  const stopListening = listenToConnection(access.connection, {
    disconnected: () => {
      watch.interrupted();
    },
    reconnected: () => {
      watch.restart();
    },
  });
  return {
    stop: () => {
      stopListening();
      return watch.stop();
    },
  };
}

class StreamWatch {
  readonly #access: KvAccess;
  readonly #watched: WatchedStream;
  readonly #handler: KvWatchHandler;
  #consumer: StreamConsumer | null = null;
  #retry: NodeJS.Timeout | null = null;
  /** Grows with each beginning and end, so that what an abandoned consumer still delivers is dropped. */
  #generation = 0;
  #stopped = false;
  /** When the stream was made, as the server says it. */
  #madeAt: string | null = null;
  /** It is missing, and to be made before the watch begins. */
  #makes = false;
  /** How often in a row the stream was found missing. */
  #misses = 0;
  #problem: string | null = null;

  constructor(access: KvAccess, watched: WatchedStream, handler: KvWatchHandler) {
    this.#access = access;
    this.#watched = watched;
    this.#handler = handler;
  }

  /** Waits for leaders where there is patience: a stream that was just made has none yet. */
  async beginFirst(): Promise<void> {
    const { care } = this.#access;
    if (care === undefined) return this.begin();
    await untilElected(async () => {
      try {
        await this.begin();
      } catch (error) {
        // A cluster that has only begun can forget what one of its servers has made, or not know it yet.
        if (saysNoStream(error)) await care.upkeep.make(this.#watched.stream);
        throw error;
      }
    }, care.patience);
  }

  async begin(): Promise<void> {
    const generation = ++this.#generation;
    const isOver = (): boolean => generation !== this.#generation;
    let isCurrent = false;
    const reachedEnd = (): void => {
      if (isCurrent) return;
      isCurrent = true;
      this.#handler.current();
    };
    this.#handler.restarted();
    const { stream, prefix, lastRevision } = this.#watched;
    if (this.#makes) await this.#make();
    const [last] = await Promise.all([lastRevision(), this.#identify()]);
    if (isOver()) return;
    const consumer = await consumeStream(this.#access, stream, `${prefix}>`, {
      message: (message) => {
        if (isOver()) return;
        this.#deliver(message);
        // What is pending may be more than the server says: of each message that is removed meanwhile
        // it subtracts one, also of those that are not the last of their key and were not counted.
        if (message.pending === 0 && message.sequence >= last) reachedEnd();
      },
      // What was pending may have gone before it was delivered.
      idle: () => {
        if (!isOver()) reachedEnd();
      },
      ended: (error) => {
        if (isOver()) return;
        this.#handler.failed(error);
        this.restart();
      },
    });
    if (isOver()) {
      consumer.stop();
      return;
    }
    this.#consumer = consumer;
    this.#misses = 0;
    this.#setProblem(null);
    if (consumer.pending === 0 && last === 0) reachedEnd();
  }

  /** Begins again from the current state; retries until that works. */
  restart(): void {
    this.abandon();
    // A connection that was closed for good does not come back.
    if (this.#stopped || this.#access.connection.isClosed()) return;
    const before = this.#generation;
    this.begin().catch((error: unknown) => {
      if (this.#generation !== before + 1) return;
      const isProblem = this.#noteFailure(error);
      this.#retry = setTimeout(
        () => {
          this.restart();
        },
        isProblem ? PROBLEM_RETRY_MS : RETRY_MS,
      );
    });
  }

  /** Nothing will come before `restart`, and whoever listens has to know that. */
  interrupted(): void {
    this.abandon();
    if (!this.#stopped) this.#handler.restarted();
  }

  /** Ends what goes on, until `restart`. */
  abandon(): void {
    this.#generation++;
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#consumer?.stop();
    this.#consumer = null;
  }

  stop(): Promise<void> {
    this.#stopped = true;
    this.abandon();
    return Promise.resolve();
  }

  /** Returns whether it is one that does not pass by itself. */
  #noteFailure(error: unknown): boolean {
    const { bucket, stream } = this.#watched;
    if (saysNoStream(error)) {
      this.#misses++;
      this.#makes = this.#access.care?.upkeep.isRemade(stream) ?? false;
      // The first time it may be the word of a server that has only begun to lead.
      if (this.#misses > 1) this.#setProblem(missing(bucket));
      return this.#misses > 1;
    }
    if (error instanceof ConnectionError && !mayEndWithElection(error)) {
      this.#setProblem(error.message);
      return true;
    }
    this.#handler.failed(error);
    return false;
  }

  #setProblem(problem: string | null): void {
    if (problem === this.#problem) return;
    this.#problem = problem;
    this.#access.care?.problem(this.#watched.bucket, problem);
  }

  async #make(): Promise<void> {
    await this.#access.care?.upkeep.remake(this.#watched.stream);
    this.#makes = false;
    // That it is another one was told with that.
    this.#madeAt = null;
  }

  /** The current state of a stream made anew is no continuation: that must not pass without a word. */
  async #identify(): Promise<void> {
    const { stream } = this.#watched;
    const info = await this.#access.jsm.streams.info(stream);
    const { created } = info;
    if (this.#madeAt !== null && this.#madeAt !== created) {
      if (this.#access.care === undefined)
        this.#handler.failed(new Error(replaced(stream, created)));
      else this.#access.care.upkeep.checkReplacement(stream, info);
    }
    this.#madeAt = created;
  }

  #deliver(message: StreamMessage): void {
    try {
      this.#handler.message(new LazyMessage(message, this.#watched.prefix));
    } catch (error) {
      this.#handler.failed(error);
    }
  }
}

function replaced(stream: string, madeAt: string): string {
  return `the stream ${stream} was removed and made anew at ${madeAt}: what it held is gone`;
}

function missing(bucket: string): string {
  return (
    `the bucket "${bucket}" was deleted: restore it from a backup, or restart a worker, which makes ` +
    "an empty one"
  );
}

/** What is in it is read when asked for: of what this process has written itself, nobody does. */
class LazyMessage implements WatchedMessage {
  readonly key: string;
  readonly revision: number;
  readonly writtenAt: number;
  readonly #msg: Msg;

  constructor({ msg, sequence, storedAt }: StreamMessage, prefix: string) {
    this.key = msg.subject.slice(prefix.length);
    this.revision = sequence;
    this.writtenAt = storedAt;
    this.#msg = msg;
  }

  get operation(): WatchedMessage["operation"] {
    return operationOf(() => this.#msg.headers);
  }

  get payload(): Uint8Array {
    return this.#msg.data;
  }

  get text(): string {
    return this.#msg.string();
  }

  get writeId(): string | null {
    return writeIdOf(() => this.#msg.headers);
  }
}
