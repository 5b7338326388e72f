/**
 * Requests that the asker can give up. Each has an inbox of its own: when that is gone, NATS tells
 * whoever answers that nobody listens. The inbox that all other requests of a connection share stays,
 * and swallows answers that nobody waits for.
 */
import {
  createInbox,
  errors,
  type Msg,
  type NatsConnection,
  type Subscription,
  TimeoutError,
} from "@nats-io/nats-core";
import { listenToConnection } from "./connection.ts";

export class AbortableRequests {
  readonly #connection: NatsConnection;
  readonly #pending = new Set<(error: Error) => void>();
  #isListening = false;

  constructor(connection: NatsConnection) {
    this.#connection = connection;
  }

  /** Rejects with the signal's reason when that is aborted, else as a request of the connection does. */
  request(subject: string, text: string, timeoutMs: number, signal: AbortSignal): Promise<Msg> {
    this.#listen();
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const inbox = createInbox();
      let subscription: Subscription | null = null;
      const end = (settle: () => void): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", abort);
        this.#pending.delete(fail);
        subscription?.unsubscribe();
        settle();
      };
      const fail = (error: Error): void => {
        end(() => {
          reject(error);
        });
      };
      const abort = (): void => {
        fail(signal.reason as Error);
      };
      const timer = setTimeout(() => {
        fail(new TimeoutError());
      }, timeoutMs);
      signal.addEventListener("abort", abort);
      this.#pending.add(fail);
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

  /** An answer that was on its way when the connection broke does not come any more. */
  #listen(): void {
    if (this.#isListening) return;
    this.#isListening = true;
    const failAll = (error: Error): void => {
      for (const fail of [...this.#pending]) fail(error);
    };
    listenToConnection(this.#connection, {
      disconnected: () => {
        failAll(new errors.RequestError("connection disconnected"));
      },
      reconnected: () => undefined,
    });
    void this.#connection.closed().then(() => {
      failAll(new errors.RequestError("connection closed"));
    });
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
