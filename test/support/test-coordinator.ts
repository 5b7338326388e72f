/**
 * A running coordinator for a test: workers in this process on a real NATS server. It is stopped at the end of
 * the scope.
 *
 *     await using coordinator = await TestCoordinator.start({ workers: 3 });
 *     await coordinator.request("tasks.create.a");
 */
import type { NatsConnection } from "@nats-io/transport-node";
import { type App, type AppOptions, startApp } from "../../src/app.ts";
import { loadConfig, type OverrideValues } from "../../src/config.ts";
import type { Fact } from "../../src/service/ports.ts";
import { TestServer, type TestServerOptions } from "./nats-server.ts";

export interface TestCoordinatorOptions extends Omit<AppOptions, "log" | "observe"> {
  readonly workers?: number;
  /** Settings by name, such as `{ retention_seconds: 1 }`. */
  readonly settings?: OverrideValues;
  readonly server?: TestServerOptions;
}

/** A reply as plain JSON, as programs in any language see it. */
export type Json = any;

/** The time to wait for a signal before a test fails. Nothing must take this long. */
const PATIENCE_MS = 15_000;

export class TestCoordinator implements AsyncDisposable {
  readonly server: TestServer;
  readonly connection: NatsConnection;
  readonly facts: Fact[] = [];
  readonly #options: TestCoordinatorOptions;
  readonly #listeners = new Set<(fact: Fact) => void>();
  readonly #apps: App[] = [];

  private constructor(
    server: TestServer,
    connection: NatsConnection,
    options: TestCoordinatorOptions,
  ) {
    this.server = server;
    this.connection = connection;
    this.#options = options;
  }

  static async start(options: TestCoordinatorOptions = {}): Promise<TestCoordinator> {
    const server = await TestServer.start(options.server);
    const coordinator = new TestCoordinator(server, await server.connect(), options);
    try {
      if (options.workers !== 0) await coordinator.addWorkers(options.workers ?? 1);
      return coordinator;
    } catch (error) {
      await coordinator[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Starts more workers, with other options if they are given. */
  async addWorkers(count: number, options: Partial<TestCoordinatorOptions> = {}): Promise<App> {
    const { settings = {}, wrapStores, clock } = { ...this.#options, ...options };
    const config = loadConfig({
      env: {},
      overrides: {
        workers: count,
        "metrics.enabled": false,
        "nats.servers": [this.server.url],
        "nats.reconnect_time_wait": 0,
        "nats.connect_timeout_seconds": 0,
        ...settings,
      },
    });
    const app = await startApp(config, {
      log: false,
      observe: (fact) => {
        this.facts.push(fact);
        for (const listener of this.#listeners) listener(fact);
      },
      ...(wrapStores === undefined ? {} : { wrapStores }),
      ...(clock === undefined ? {} : { clock }),
    });
    this.#apps.push(app);
    return app;
  }

  /** Sends a request and returns the reply, also an error reply. */
  async request(subject: string, body: object | string = {}, timeoutMs = 10_000): Promise<Json> {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const reply = await this.connection.request(subject, text, { timeout: timeoutMs });
    return reply.json();
  }

  /** Sends a request that must succeed. */
  async ok(subject: string, body: object = {}): Promise<Json> {
    const reply = await this.request(subject, body);
    if (reply.ok !== true) throw new Error(`${subject}: ${JSON.stringify(reply.error)}`);
    return reply;
  }

  /** Sends a request that must be refused, and returns the error. */
  async refused(subject: string, body: object | string = {}): Promise<Json> {
    const reply = await this.request(subject, body);
    if (reply.ok !== false) throw new Error(`${subject} was not refused`);
    return reply.error;
  }

  /** The types of the events in the history of the task. */
  async eventsOf(taskId: string): Promise<string[]> {
    const { entries } = await this.ok(`tasks.history.${taskId}`);
    return entries.map(({ task }: Json) => task.last_event.type as string);
  }

  /** The first fact that matches, from now on or from `since` on. */
  async fact<K extends Fact["kind"]>(
    kind: K,
    fits: (fact: Extract<Fact, { kind: K }>) => boolean = () => true,
    since = this.facts.length,
  ): Promise<Extract<Fact, { kind: K }>> {
    const isIt = (fact: Fact): fact is Extract<Fact, { kind: K }> =>
      fact.kind === kind && fits(fact as Extract<Fact, { kind: K }>);
    const already = this.facts.slice(since).find(isIt);
    if (already !== undefined) return already;
    return new Promise((resolve, reject) => {
      const listener = (fact: Fact): void => {
        if (!isIt(fact)) return;
        clearTimeout(timer);
        this.#listeners.delete(listener);
        resolve(fact);
      };
      const timer = setTimeout(() => {
        this.#listeners.delete(listener);
        reject(new Error(`no ${kind} within ${PATIENCE_MS} ms`));
      }, PATIENCE_MS);
      this.#listeners.add(listener);
    });
  }

  /** Repeats a request until the answer matches. For conditions without a signal. */
  async until(subject: string, fits: (reply: Json) => boolean, body: object = {}): Promise<Json> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const reply = await this.request(subject, body);
      if (fits(reply)) return reply;
      if (Date.now() > deadline) throw new Error(`${subject} stays ${JSON.stringify(reply)}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#apps.map((app) => app.stop()));
    await this.server[Symbol.asyncDispose]();
  }
}
