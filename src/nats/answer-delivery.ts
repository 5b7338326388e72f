/**
 * Sends answers that somebody has to receive, and tells when nobody did.
 *
 * Such an answer is published as a request: if no subscription exists for its subject any more, the
 * server says so at once ("no responders", status 503) to a subject of ours. It does not for an asker
 * in another account, whose reply subject always has a subscription, the server's own. There the
 * answer is sent with a message trace (ADR-41): the server tells how far it came.
 */
import type { Msg, NatsConnection, Subscription } from "@nats-io/transport-node";
import { newInbox } from "./inbox.ts";
import { isOfOtherAccount, reachedNobody } from "./message-trace.ts";

/** The server's word comes within one round trip; after this time it will not come. */
const FORGET_AFTER_MS = 10_000;

export class AnswerDelivery {
  readonly #connection: NatsConnection;
  readonly #inbox: string;
  readonly #subscription: Subscription;
  readonly #undelivered = new Map<string, { readonly sentAt: number; call(): void }>();
  #serial = 0;

  constructor(connection: NatsConnection) {
    this.#connection = connection;
    this.#inbox = `${newInbox(connection)}.`;
    this.#subscription = connection.subscribe(`${this.#inbox}*`, {
      callback: (error, msg) => {
        // A client that answers an answer is of no interest.
        if (error !== null || !(isNoResponders(msg) || reachedNobody(msg))) return;
        const key = msg.subject.slice(this.#inbox.length);
        this.#undelivered.get(key)?.call();
        this.#undelivered.delete(key);
      },
    });
  }

  /** Throws, and `undelivered` is not called, if the answer cannot even be sent. */
  send(subject: string, payload: Uint8Array, undelivered: () => void): void {
    const now = performance.now();
    for (const [key, { sentAt }] of this.#undelivered) {
      if (now - sentAt < FORGET_AFTER_MS) break;
      this.#undelivered.delete(key);
    }
    const key = (++this.#serial).toString(36);
    const ours = this.#inbox + key;
    this.#connection.publish(
      subject,
      payload,
      isOfOtherAccount(subject) ? { traceDestination: ours } : { reply: ours },
    );
    this.#undelivered.set(key, { sentAt: now, call: undelivered });
  }

  /** Waits for the server's word on what was sent last, if the server is there. */
  async stop(): Promise<void> {
    try {
      const drained = this.#connection.flush().then(() => this.#subscription.drain());
      await Promise.race([drained, this.#connection.closed()]);
    } catch {
      // The connection is lost, and the server's word with it.
    }
  }
}

/** The server's word that nobody subscribes to the subject. */
function isNoResponders(msg: Msg): boolean {
  if (msg.data.length > 0) return false;
  try {
    return msg.headers?.code === 503;
  } catch {
    // The server's headers can be read.
    return false;
  }
}
