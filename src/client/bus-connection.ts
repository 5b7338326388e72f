/** The NATS connection of an event bus. It exists from `connect` to `disconnect`, and can be opened again. */
import {
  type Connection,
  type ConnectOptions,
  connectNats,
  listenToConnection,
  type LoginNames,
} from "../nats/connection.ts";
import { requireInbox } from "../nats/inbox.ts";
import { createRequester, RequestFailedError, type Requester } from "../nats/request.ts";
import { type CallQueues, createQueues } from "./call-queue.ts";
import type { Link } from "./calls.ts";
import { TaskError } from "./task-error.ts";

/** How the connection ended: on request, or with an error. */
type Ending = Error | undefined;

interface Open {
  readonly connection: Connection;
  readonly requester: Requester;
  /** Resolves when the connection is closed for good. */
  readonly closed: Promise<Ending>;
}

/** What happens to a connection without a request. */
export interface ConnectionEvents {
  disconnected(): void;
  reconnected(server: string): void;
  /** The connection has ended for good. The problem is a sentence. */
  lost(problem: string): void;
}

export class BusConnection implements Link {
  readonly queues: CallQueues;
  readonly #options: ConnectOptions;
  readonly #events: Partial<ConnectionEvents>;
  readonly #reconnected = new Set<() => void>();
  #open: Open | null = null;
  /** Why there is no connection. */
  #absence = "the event bus is not connected: call connect() first";
  #opening: Promise<void> | null = null;
  #isConnected = false;

  constructor(
    options: ConnectOptions,
    events: Partial<ConnectionEvents> = {},
    maxInFlight?: number,
  ) {
    this.#options = options;
    this.#events = events;
    this.queues = createQueues(maxInFlight);
  }

  /** How to connect: the renewal thread needs its own connection. */
  get options(): ConnectOptions {
    return this.#options;
  }

  /** Whether there is a connection, even if it is just reconnecting. */
  get isOpen(): boolean {
    return this.#open !== null;
  }

  /** Whether the server can be reached at the moment. */
  get isConnected(): boolean {
    return this.#isConnected;
  }

  /**
   * @param names of the options where they are set, for error messages. Default: those of a program
   * @throws ConnectionError
   */
  connect(names?: LoginNames): Promise<void> {
    if (this.#open !== null) return Promise.resolve();
    this.#opening ??= this.#connect(names).finally(() => {
      this.#opening = null;
    });
    return this.#opening;
  }

  async disconnect(): Promise<void> {
    await this.#opening?.catch(() => undefined);
    const open = this.#open;
    this.#open = null;
    await open?.connection.close();
  }

  /** @throws TaskError `unavailable` while there is no connection */
  get connection(): Connection {
    return this.#opened().connection;
  }

  /** @throws TaskError `unavailable` while there is no connection */
  get closed(): Promise<Ending> {
    return this.#opened().closed;
  }

  get maxPayload(): number {
    return this.#opened().requester.maxPayload;
  }

  get connectionId(): Requester["connectionId"] {
    return this.#open?.requester.connectionId;
  }

  async request(
    subject: string,
    text: string,
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<string> {
    const { requester } = this.#opened();
    if (!this.#isConnected) {
      // The transport would lose the request: it clears its buffer at each attempt to reconnect.
      throw new RequestFailedError("disconnected", `${subject} was not sent to NATS`);
    }
    return requester.request(subject, text, timeoutMs, signal);
  }

  /** Calls the listener after each reconnect, until the returned function is called. */
  onReconnect(listener: () => void): () => void {
    this.#reconnected.add(listener);
    return () => {
      this.#reconnected.delete(listener);
    };
  }

  #opened(): Open {
    if (this.#open !== null) return this.#open;
    const details = { problem: "closed" };
    throw new TaskError("unavailable", this.#absence, { retryable: false, details });
  }

  async #connect(names: LoginNames | undefined): Promise<void> {
    const connection = await connectNats(this.#options, names);
    try {
      await requireInbox(connection);
    } catch (error) {
      await connection.close();
      throw error;
    }
    const isCurrent = (): boolean => this.#open?.connection === connection;
    let refusal: Error | null = null;
    let refusalBefore: Error | null = null;
    const closed = connection.closed().then((ending) => {
      if (isCurrent()) this.#open = null;
      if (this.#open === null) this.#isConnected = false;
      if (!(ending instanceof Error)) return undefined;
      this.#absence = describeEnd(ending, refusal);
      this.#events.lost?.(this.#absence);
      return ending;
    });
    this.#open = { connection, requester: createRequester(connection), closed };
    this.#isConnected = true;
    listenToConnection(connection, {
      disconnected: () => {
        if (!isCurrent()) return;
        this.#isConnected = false;
        refusalBefore = refusal;
        this.#events.disconnected?.();
      },
      reconnected: (server) => {
        if (!isCurrent()) return;
        this.#isConnected = true;
        // A refusal of the new connection can be reported before it.
        if (refusal === refusalBefore) refusal = null;
        this.#events.reconnected?.(server);
        for (const listener of [...this.#reconnected]) listener();
      },
      refused: (error) => {
        refusal = error;
      },
    });
  }
}

/** @param refusal the last one; after it, the library may close the connection with another error */
function describeEnd({ message }: Error, refusal: Error | null): string {
  const lost = "the connection to NATS is lost for good";
  return refusal === null
    ? `${lost} (${message}): call connect()`
    : `${lost} (${refusal.message}): the server no longer accepts the credentials`;
}
