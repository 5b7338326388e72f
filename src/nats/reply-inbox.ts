/**
 * The hot requests of a worker: their replies come to one subscription, and one sweep ends those that
 * have waited too long. The library's own requests make two errors with their stacks for each request,
 * and a timer.
 */
import type { Msg, NatsConnection, Subscription } from "@nats-io/transport-node";
import { newInbox } from "./inbox.ts";
import type { OutgoingHeaders } from "./outgoing-headers.ts";
import { randomKey } from "./random-keys.ts";

interface Pending {
  /** With the reply; with `null` if there is none. Must not throw. */
  readonly received: (reply: Msg | null) => void;
  readonly deadline: number;
}

export class ReplyInbox {
  readonly #connection: NatsConnection;
  readonly #timeoutMs: number;
  readonly #prefix: string;
  readonly #subscription: Subscription;
  readonly #pending = new Map<string, Pending>();
  readonly #sweep: NodeJS.Timeout;
  #isStopped = false;

  constructor(connection: NatsConnection, timeoutMs: number) {
    this.#connection = connection;
    this.#timeoutMs = timeoutMs;
    this.#prefix = `${newInbox(connection)}.`;
    this.#subscription = connection.subscribe(`${this.#prefix}*`, {
      callback: (error, msg) => {
        if (error === null) this.#end(msg.subject.slice(this.#prefix.length), msg);
      },
    });
    // One sweep for all requests is cheaper than a timer for each.
    this.#sweep = setInterval(() => {
      this.#giveUpOverdue();
    }, timeoutMs / 10);
    this.#sweep.unref();
  }

  /** Throws, without a call of `received`, if the request cannot be sent. */
  request(
    subject: string,
    payload: Uint8Array,
    received: Pending["received"],
    headers?: OutgoingHeaders,
  ): void {
    if (this.#isStopped) {
      received(null);
      return;
    }
    const key = randomKey();
    this.#pending.set(key, { received, deadline: performance.now() + this.#timeoutMs });
    const reply = this.#prefix + key;
    try {
      this.#connection.publish(subject, payload, headers ? { headers, reply } : { reply });
    } catch (error) {
      this.#pending.delete(key);
      throw error;
    }
  }

  /** No reply is awaited any longer, and no request sent. */
  stop(): void {
    this.#isStopped = true;
    clearInterval(this.#sweep);
    this.#subscription.unsubscribe();
    for (const key of [...this.#pending.keys()]) this.#end(key, null);
  }

  #end(key: string, reply: Msg | null): void {
    const pending = this.#pending.get(key);
    if (pending === undefined) return;
    this.#pending.delete(key);
    pending.received(reply);
  }

  #giveUpOverdue(): void {
    const now = performance.now();
    for (const [key, { deadline }] of this.#pending) {
      // All requests have the same timeout, so the map is in the order of the deadlines.
      if (deadline > now) return;
      this.#end(key, null);
    }
  }
}
