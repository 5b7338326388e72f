/**
 * Requests that the caller can abort. Each has an inbox of its own. When the caller aborts, the inbox is
 * removed, so NATS tells the worker that answers that nobody listens. All other requests of a connection
 * share one inbox, which stays and swallows late answers.
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

  /** Rejects with the signal's reason on abort; otherwise like a request of the connection. */
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
      // Many requests may share a signal. Each removes its listener when it ends.
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

  /** Like the given answer, but rejects when the connection breaks, because no answer can come then. */
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
        // An answer that was on its way is lost. The client also drops most of what was sent while the
        // connection was broken.
        this.#failAll("connection disconnected");
      } else if (status.type === "error") this.#refused(status.error);
    }
  }

  #failAll(why: string): void {
    for (const { fail } of [...this.#pending]) fail(new errors.RequestError(why));
  }

  /** The server names the subject that it does not permit, but not the message. */
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
    // The server's own headers can always be read.
    return false;
  }
}
