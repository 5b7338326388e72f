/** Clients for scripts. They log nothing, because a script records every failure itself. */
import { setTimeout as delay } from "node:timers/promises";
import type { CallsOptions } from "../../src/client/calls.ts";
import { Coordinator } from "../../src/client/coordinator.ts";
import { EventBus } from "../../src/client/event-bus.ts";
import { TaskClient } from "../../src/client/task-client.ts";
import { TaskError } from "../../src/client/task-error.ts";
import { type Connection, connectNats } from "../../src/nats/connection.ts";
import { createRequester } from "../../src/nats/request.ts";

export const QUIET = { debug: () => undefined, warn: () => undefined, error: () => undefined };

/** After a fault, a client is back before the next thing is measured. */
const RECONNECT_SECONDS = 0.1;
const PATIENCE_MS = 300_000;
const PAUSE_MS = 10;

/** A connection to NATS, and the operations of the coordinator over it. */
export class TaskConnection implements AsyncDisposable {
  readonly connection: Connection;
  readonly tasks: TaskClient;

  private constructor(connection: Connection, options: CallsOptions) {
    this.connection = connection;
    this.tasks = new TaskClient(createRequester(connection), { logger: QUIET, ...options });
  }

  static async open(
    servers: readonly string[],
    name: string,
    options: CallsOptions = {},
  ): Promise<TaskConnection> {
    const connection = await connectNats({ servers, name, reconnectTimeWait: RECONNECT_SECONDS });
    return new TaskConnection(connection, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection.close();
  }
}

/** A client of the library. */
export class LibraryClient implements AsyncDisposable {
  readonly coordinator: Coordinator;
  readonly #bus: EventBus;

  private constructor(bus: EventBus) {
    this.#bus = bus;
    this.coordinator = new Coordinator(bus);
  }

  /** `null` if no server can be reached. */
  static async tryOpen(
    servers: readonly string[],
    name: string,
    reconnectTimeWait = RECONNECT_SECONDS,
  ): Promise<LibraryClient | null> {
    const config = { servers, name, reconnectTimeWait };
    const bus = new EventBus({ backend: "nats", config, logger: QUIET });
    return (await bus.connect()) ? new LibraryClient(bus) : null;
  }

  /** @throws Error if no server can be reached */
  static async open(servers: readonly string[], name: string): Promise<LibraryClient> {
    const client = await LibraryClient.tryOpen(servers, name);
    if (client === null) throw new Error("no NATS server can be reached");
    return client;
  }

  /** Ends the connection only, as the death of a process would: no claim is given back. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#bus.disconnect();
  }
}

/** Resolves when a coordinator that is starting has answered a claim. */
export async function firstClaim(tasks: TaskClient, id: string, started: number): Promise<void> {
  const input = { session_id: "first", ttl_seconds: 3_600 };
  for (;;) {
    try {
      await tasks.claim(id, input, { deadlineMs: 0, timeoutMs: 1_000 });
      return;
    } catch (error) {
      if (!(error instanceof TaskError) || !error.retryable) throw error;
      if (performance.now() - started > PATIENCE_MS) throw error;
      await delay(PAUSE_MS);
    }
  }
}
