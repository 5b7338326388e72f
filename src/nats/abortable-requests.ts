/**
 * Requests that the asker can give up. Each has an inbox of its own: when that is gone, NATS tells
 * whoever answers that nobody listens. The inbox that all other requests of a connection share stays,
 * and swallows answers that nobody waits for.
 */
import { setMaxListeners } from "node:events";
import {
  errors,
  type Msg,
  type NatsConnection,
  type Subscription,
  TimeoutError,
} from "@nats-io/nats-core";
import { MAX_TIMER_MS } from "../timers.ts";
import { newInbox } from "./inbox.ts";

interface Pending {
  readonly subject: string;
  readonly fail: (error: Error) => void;
}

export class AbortableRequests {
  readonly #connection: NatsConnection;
  readonly #pending = new Set<Pending>();
  #isListening = false;

  constructor(connection: NatsConnection) {
    this.#connection = connection;
  }

  /** Rejects with the signal's reason when that is aborted, else as a request of the connection does. */
  request(subject: string, text: string, timeoutMs: number, signal: AbortSignal): Promise<Msg> {
    this.#listen();
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const inbox = newInbox(this.#connection);
      let subscription: Subscription | null = null;
      const end = (finish: () => void): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", abort);
        this.#pending.delete(pending);
        subscription?.unsubscribe();
        finish();
      };
      const fail = (error: Error): void => {
        end(() => {
          reject(error);
        });
      };
      const pending = { subject, fail };
      const abort = (): void => {
        fail(signal.reason as Error);
      };
      const timer = setTimeout(
        () => {
          fail(new TimeoutError());
        },
        Math.min(timeoutMs, MAX_TIMER_MS),
      );
      // Any number of requests may share a signal: each takes its listener away when it ends.
      setMaxListeners(0, signal);
      signal.addEventListener("abort", abort);
      this.#pending.add(pending);
      try {
        subscription = this.#connection.subscribe(inbox, {
          callback: (error, msg) => {
            if (error !== null) fail(error);
            else if (saysNoResponders(msg)) fail(new errors.NoRespondersError(subject));
            else {
              end(() => {
                resolve(msg);
              });
            }
          },
        });
        this.#connection.publish(subject, text, { reply: inbox });
      } catch (error) {
        fail(error instanceof Error ? error : new Error(String(error)));
      }
    });
  }

  /** Rejects when the connection breaks, as the answer does not come any more; else as the answer does. */
  untilBroken(subject: string, answer: Promise<Msg>): Promise<Msg> {
    this.#listen();
    return new Promise((resolve, reject) => {
      const pending = { subject, fail: reject };
      this.#pending.add(pending);
      void answer.then(resolve, reject).finally(() => this.#pending.delete(pending));
    });
  }

  #listen(): void {
    if (this.#isListening) return;
    this.#isListening = true;
    void this.#follow();
    void this.#connection.closed().then(() => {
      this.#failAll("connection closed");
    });
  }

  async #follow(): Promise<void> {
    for await (const status of this.#connection.status()) {
      if (status.type === "disconnect" || status.type === "reconnect") {
        // An answer that was on its way does not come any more. What was sent since then is dropped by
        // the client, most of it, when it connects again.
        this.#failAll("connection disconnected");
      } else if (status.type === "error") this.#refused(status.error);
    }
  }

  #failAll(why: string): void {
    for (const { fail } of [...this.#pending]) fail(new errors.RequestError(why));
  }

  /** The server says which subject it does not permit, not in which message. */
  #refused(error: Error): void {
    if (!(error instanceof errors.PermissionViolationError)) return;
    if (error.operation !== "publish") return;
    for (const { subject, fail } of [...this.#pending]) {
      if (subject === error.subject) fail(error);
    }
  }
}

function saysNoResponders(msg: Msg): boolean {
  if (msg.data.length > 0) return false;
  try {
    return msg.headers?.code === 503;
  } catch {
    // Headers that cannot be read are not those of the server.
    return false;
  }
}
