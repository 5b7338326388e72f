/**
 * Finds out who would receive a message, without sending one: the server traces the message (ADR-41) and
 * delivers nothing.
 *
 * If the trace gives no answer, the receiver counts as listening. That is so for a client in another account,
 * whose reply subject can be used only once, and for a server that does not answer in time.
 */
import { Empty, type NatsConnection, type Subscription } from "@nats-io/transport-node";
import { newInbox } from "./inbox.ts";
import { eventsOf, isOfOtherAccount, type TraceEvent } from "./message-trace.ts";
import { randomKey } from "./random-keys.ts";

/** The `kind` of a client in a trace. Servers have other numbers. */
const CLIENT = 0;
/** Servers before version 2.15 lose traces if hundreds are requested at once. */
const MAX_IN_FLIGHT = 64;
/** A trace takes one round trip. A few of thousands are lost, so there is a second try. */
const PATIENCE_MS = 100;
const TRIES = 2;
/** After this many requests in a row without a trace, none is sent for `PAUSE_MS`. */
const MAX_MISSED = 3;
const PAUSE_MS = 30_000;

export class MessageTraces {
  readonly #connection: NatsConnection;
  readonly #inbox: string;
  readonly #subscription: Subscription;
  readonly #asked = new Map<string, (events: readonly TraceEvent[] | null) => void>();
  /** Requests that wait until fewer are in flight. */
  readonly #queue: (() => void)[] = [];
  #inFlight = 0;
  #missed = 0;
  #pausedUntil = 0;

  constructor(connection: NatsConnection) {
    this.#connection = connection;
    this.#inbox = `${newInbox(connection)}.`;
    this.#subscription = connection.subscribe(`${this.#inbox}*`, {
      callback: (error, msg) => {
        if (error !== null) return;
        this.#missed = 0;
        this.#asked.get(msg.subject.slice(this.#inbox.length))?.(eventsOf(msg));
      },
    });
  }

  /** Whether anyone listens on the reply subject. Never rejects. */
  async isListening(subject: string): Promise<boolean> {
    if (isOfOtherAccount(subject)) return true;
    const events = await this.#trace(subject);
    return events === null || events.some(({ type }) => type !== "in");
  }

  /** Whether another queue group listens on this server. `false` also if the trace gives no answer. */
  async isForOthers(queueGroup: string, subject: string): Promise<boolean> {
    const events = (await this.#trace(subject)) ?? [];
    return events.some(({ kind, queue = queueGroup }) => kind === CLIENT && queue !== queueGroup);
  }

  /** `null` if there is no trace. Never rejects. */
  async #trace(subject: string): Promise<readonly TraceEvent[] | null> {
    if (performance.now() < this.#pausedUntil) return null;
    if (this.#inFlight < MAX_IN_FLIGHT) this.#inFlight++;
    else {
      // The request that ends passes its place on.
      await new Promise<void>((resolve) => this.#queue.push(resolve));
    }
    try {
      return await this.#ask(subject);
    } catch {
      // The connection is closed, so no answer could be sent either.
      return null;
    } finally {
      const next = this.#queue.shift();
      if (next === undefined) this.#inFlight--;
      else next();
    }
  }

  stop(): void {
    this.#subscription.unsubscribe();
    for (const answer of this.#asked.values()) answer(null);
  }

  #ask(subject: string): Promise<readonly TraceEvent[] | null> {
    const key = randomKey();
    const traceDestination = this.#inbox + key;
    const trace = (): void => {
      this.#connection.publish(subject, Empty, { traceDestination, traceOnly: true });
    };
    trace();
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout;
      const answer = (events: readonly TraceEvent[] | null): void => {
        clearTimeout(timer);
        this.#asked.delete(key);
        resolve(events);
      };
      const wait = (tries: number): void => {
        timer = setTimeout(() => {
          if (tries < TRIES && !this.#connection.isClosed()) {
            trace();
            wait(tries + 1);
            return;
          }
          if (++this.#missed >= MAX_MISSED) this.#pausedUntil = performance.now() + PAUSE_MS;
          answer(null);
        }, PATIENCE_MS);
      };
      this.#asked.set(key, answer);
      wait(1);
    });
  }
}
