/**
 * A watch on a KV bucket's stream: delivers the last message of every key, then every new message, in order,
 * until it is stopped.
 *
 * When the watch breaks, it does not resume where it stood. It begins again with the current state, for two
 * reasons: a key that was purged long ago leaves no message, so its end would be missed; and a server that
 * was restored from a backup has lower revisions than the watch has seen.
 */
import type { Stoppable } from "../service/ports.ts";
import { saysNoStream } from "./bucket-upkeep.ts";
import { ConnectionError, listenToConnection } from "./connection.ts";
import type { KvAccess } from "./kv-access.ts";
import type { WatchedMessage } from "./kv-message.ts";
import { LazyMessage } from "./lazy-message.ts";
import { mayEndWithElection, untilElected } from "./start-patience.ts";
import { consumeStream, type StreamConsumer, type StreamMessage } from "./stream-consumer.ts";

export interface KvWatchHandler {
  /** The watch begins or is interrupted. The current state follows when it can. */
  restarted(): void;
  message(message: WatchedMessage): void;
  /** The state at the beginning of the watch has been delivered. */
  current(): void;
  /** The watch broke and will begin again. */
  failed(error: unknown): void;
}

const RETRY_MS = 500;
/** The same while the operator must do something about the bucket. */
const PROBLEM_RETRY_MS = 2_000;

export interface WatchedStream {
  readonly bucket: string;
  readonly stream: string;
  /** The prefix of the subjects; the key follows it. */
  readonly prefix: string;
  /** The revision of the last message in the stream; 0 if there is none. */
  readonly lastRevision: () => Promise<number>;
}

export interface BucketWatch extends Stoppable {
  /** Somebody waits for the revision: the watch delivers up to it without delay. */
  hurry(revision: number): void;
}

/** Resolves when the watch is set up. The current state follows. */
export async function watchStream(
  access: KvAccess,
  watched: WatchedStream,
  handler: KvWatchHandler,
): Promise<BucketWatch> {
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
    hurry: (revision) => {
      watch.hurry(revision);
    },
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
  /** Grows with each begin and end. Messages of an older generation's consumer are dropped. */
  #generation = 0;
  #stopped = false;
  /** The creation time of the stream, as the server reports it. */
  #madeAt: string | null = null;
  /** Whether the stream is missing and must be created before the watch begins. */
  #makes = false;
  /** How many times in a row the stream was missing. */
  #misses = 0;
  #problem: string | null = null;

  constructor(access: KvAccess, watched: WatchedStream, handler: KvWatchHandler) {
    this.#access = access;
    this.#watched = watched;
    this.#handler = handler;
  }

  /** A worker waits for the leader of the stream: a stream that was just created has none yet. */
  async beginFirst(): Promise<void> {
    const { care } = this.#access;
    if (care === undefined) return this.begin();
    await untilElected(async () => {
      try {
        await this.begin();
      } catch (error) {
        // A cluster that has just started may not know a stream yet that one of its servers created, or
        // may have forgotten it.
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
        if (isOver()) return false;
        const isNews = this.#deliver(message);
        // The server's count of pending messages may be too low: it subtracts one for each message that
        // is removed meanwhile, also for messages that it had not counted. So we also compare revisions.
        if (message.pending === 0 && message.sequence >= last) reachedEnd();
        return isNews;
      },
      // Pending messages may be removed before they are delivered. Then the consumer is idle.
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

  /** Begins again with the current state. Retries until that succeeds. */
  restart(): void {
    this.abandon();
    // A connection that was closed does not come back.
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

  /** Nothing comes until `restart`. The handler must know that it may be out of date. */
  interrupted(): void {
    this.abandon();
    if (!this.#stopped) this.#handler.restarted();
  }

  hurry(revision: number): void {
    this.#consumer?.hurry(revision);
  }

  /** Ends the consumer and any retry. */
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

  /** Returns whether only an operator can end the failure. */
  #noteFailure(error: unknown): boolean {
    const { bucket, stream } = this.#watched;
    if (saysNoStream(error)) {
      this.#misses++;
      this.#makes = this.#access.care?.upkeep.isRemade(stream) ?? false;
      // The first time, the answer may come from a server that has just become the leader.
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
    // `remake` has reported that the stream is another one.
    this.#madeAt = null;
  }

  /** Reports a stream that was deleted and created again: its state does not continue the old one. */
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

  /** Returns whether the message is news for this worker. */
  #deliver(message: StreamMessage): boolean {
    const lazy = new LazyMessage(message, this.#watched.prefix);
    try {
      this.#handler.message(lazy);
    } catch (error) {
      this.#handler.failed(error);
    }
    return lazy.isDecoded;
  }
}

function replaced(stream: string, madeAt: string): string {
  return `the stream ${stream} was removed and created again at ${madeAt}: its content is gone`;
}

function missing(bucket: string): string {
  return (
    `the bucket "${bucket}" was deleted: restore it from a backup, or restart a worker, which makes ` +
    "an empty one"
  );
}
