/**
 * Sends answers that must be received, and reports those that nobody received.
 *
 * Such an answer is published as a request. If no subscription for its subject is left, the server
 * replies at once with "no responders" (status 503).
 *
 * This does not work for a client in another account, because the server itself subscribes to the reply
 * subject. There the answer carries a message trace (ADR-41), which shows how far the answer came.
 */
import type { Msg, NatsConnection, Subscription } from "@nats-io/transport-node";
import { newInbox } from "./inbox.ts";
import { isOfOtherAccount, reachedNobody } from "./message-trace.ts";
import { randomKey } from "./random-keys.ts";

/** The server's notice comes within one round trip. After this time, none will come. */
const FORGET_AFTER_MS = 10_000;

export class AnswerDelivery {
  readonly #connection: NatsConnection;
  readonly #inbox: string;
  readonly #subscription: Subscription;
  readonly #undelivered = new Map<string, { readonly sentAt: number; call(): void }>();

  constructor(connection: NatsConnection) {
    this.#connection = connection;
    this.#inbox = `${newInbox(connection)}.`;
    this.#subscription = connection.subscribe(`${this.#inbox}*`, {
      callback: (error, msg) => {
        // A client may reply to an answer. That is ignored.
        if (error !== null || !(isNoResponders(msg) || reachedNobody(msg))) return;
        const key = msg.subject.slice(this.#inbox.length);
        this.#undelivered.get(key)?.call();
        this.#undelivered.delete(key);
      },
    });
  }

  /** Calls `undelivered` if nobody received the answer. Throws if the answer cannot be sent at all. */
  send(subject: string, payload: Uint8Array, undelivered: () => void): void {
    const now = performance.now();
    for (const [key, { sentAt }] of this.#undelivered) {
      if (now - sentAt < FORGET_AFTER_MS) break;
      this.#undelivered.delete(key);
    }
    const key = randomKey();
    const ours = this.#inbox + key;
    this.#connection.publish(
      subject,
      payload,
      isOfOtherAccount(subject) ? { traceDestination: ours } : { reply: ours },
    );
    this.#undelivered.set(key, { sentAt: now, call: undelivered });
  }

  /** Waits for the server's notices about the last answers, if the server is there. */
  async stop(): Promise<void> {
    try {
      const drained = this.#connection.flush().then(() => this.#subscription.drain());
      await Promise.race([drained, this.#connection.closed()]);
    } catch {
      // The connection is lost, and the notices with it.
    }
  }
}

/** Whether the server says that nobody subscribes to the subject. */
function isNoResponders(msg: Msg): boolean {
  if (msg.data.length > 0) return false;
  try {
    return msg.headers?.code === 503;
  } catch {
    // The server's own headers can always be read.
    return false;
  }
}
