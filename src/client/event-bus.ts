/** The connection of a session, and the state that the sessions of a swarm share in addition to the tasks. */
import { z } from "zod";
import { ConnectionError } from "../nats/connection.ts";
import { BusConnection, type ConnectionEvents } from "./bus-connection.ts";
import { checkOptions, optionSchema } from "./check-options.ts";
import { type EventBusOptions, parseOptions } from "./event-bus-options.ts";
import { DEFAULT_LOGGER, type Logger } from "./logger.ts";
import type { SharedChange } from "./shared-watch.ts";
import { SharedState } from "./shared-state.ts";
import { TaskClient } from "./task-client.ts";
import { hasCode, invalidInput } from "./task-error.ts";
import { refuseTask, refuseTtl, taskIdOf, toCreation } from "./task-keys.ts";
import { UpdateFeed } from "./update-feed.ts";
import { TIMED_OUT, within } from "./waiting.ts";

/** How long a value is kept. */
export interface PutOptions {
  /** Seconds after which the key is removed. Default: never. */
  readonly ttl?: number;
}

/** The state of an event bus. */
export interface BusHealth {
  /** Whether the server can be reached at the moment. */
  readonly connected: boolean;
  /** Whether a coordinator answers. */
  readonly coordinator: boolean;
  /** From this process to the server and back, in milliseconds; `null` without an answer. */
  readonly roundTripMs: number | null;
  /** What is wrong and what to do about it; `null` if nothing is. */
  readonly problem: string | null;
}

const TTL_RULE = "must be a whole number of seconds, at least 1";
const PUT_OPTIONS = optionSchema<PutOptions>({ ttl: z.int(TTL_RULE).min(1, TTL_RULE) });
const HEALTH_TIMEOUT_MS = 2_000;
const SILENT = `the NATS server does not answer within ${HEALTH_TIMEOUT_MS} ms`;

/**
 * Connects a session to the swarm. Keys `tasks/<id>` are tasks of the coordinator: `get` reads them, and
 * `put` creates them. All other keys are shared state in the bucket `shared`, for which the account needs
 * JetStream.
 *
 * @example
 * const bus = new EventBus({ backend: "nats", config: { servers: ["nats://localhost:4222"] } });
 * if (!(await bus.connect())) throw new Error("cannot connect");
 */
export class EventBus implements AsyncDisposable {
  /** @internal */
  readonly link: BusConnection;
  /** @internal */
  readonly feed: UpdateFeed;
  /** @internal */
  readonly logger: Logger;
  readonly #shared: SharedState;
  readonly #tasks: TaskClient;
  #problem = "the event bus is not connected: call connect() first";

  /** Does not connect yet. @throws TaskError `invalid_request` that names the option */
  constructor(options: EventBusOptions) {
    const { connect, shared, maxInFlight } = parseOptions(options);
    this.logger = options.logger ?? DEFAULT_LOGGER;
    const events: ConnectionEvents = {
      disconnected: () => {
        this.logger.warn("the connection to NATS is broken: connecting again");
      },
      reconnected: (server) => {
        this.logger.warn(`connected to NATS again, at ${server}`);
      },
      lost: (problem) => {
        this.#failed(problem);
      },
    };
    this.link = new BusConnection(connect, events, maxInFlight);
    this.#tasks = new TaskClient(this.link, { logger: this.logger });
    this.feed = new UpdateFeed(this.link, this.#tasks, this.logger);
    this.#shared = new SharedState(this.link, shared, this.logger);
  }

  /**
   * Connects, and resolves to whether that succeeded. If not, the log and `health()` say why. Once
   * connected, it reconnects by itself, forever unless `maxReconnectAttempts` limits it.
   * @example if (!(await bus.connect())) console.error((await bus.health()).problem);
   */
  async connect(): Promise<boolean> {
    try {
      await this.link.connect();
      return true;
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
      this.#failed(error.message);
      return false;
    }
  }

  /**
   * Closes the connection, and ends everything that uses it. Can be called again.
   * @example await bus.disconnect();
   */
  async disconnect(): Promise<void> {
    this.feed.stop();
    await this.link.disconnect();
    this.#problem = "the event bus was disconnected: call connect() first";
  }

  /**
   * Stores a value that JSON can express. With a key `tasks/<id>`, it creates the task; `false` if the task
   * exists.
   *
   * @throws TaskError `invalid_request`, also for a `ttl` on a task; `unavailable`
   * @example
   * await bus.put("deploy/current", { version: "1.4.0" }, { ttl: 3600 });
   * const isNew = await bus.put("tasks/P0.6.1", { title: "Document", depends_on: ["P0.5.1"] });
   */
  async put(key: string, value: unknown, options: PutOptions = {}): Promise<boolean> {
    checkOptions(options, PUT_OPTIONS);
    const taskId = taskIdOf(key);
    if (taskId === null) {
      await this.#shared.put(key, value, options.ttl);
      return true;
    }
    refuseTtl(options.ttl);
    return this.#createTask(taskId, value);
  }

  /**
   * The value, or the record of a task; `null` if there is none.
   *
   * @throws TaskError `unavailable`
   * @example const current = await bus.get("deploy/current");
   */
  async get(key: string): Promise<unknown> {
    const taskId = taskIdOf(key);
    if (taskId === null) return this.#shared.get(key);
    try {
      return (await this.#tasks.get(taskId)).task;
    } catch (error) {
      if (hasCode(error, "not_found")) return null;
      throw error;
    }
  }

  /**
   * Replaces the value if it is still the expected one, as `get` has returned it; `null` expects that there
   * is none. Value and revision are compared, so one of several sessions that try succeeds.
   *
   * @throws TaskError `invalid_request`; `unavailable`, after which the value may have been replaced
   * @example const isLeader = await bus.compareAndSwap("deploy/leader", null, "session-1", { ttl: 30 });
   */
  async compareAndSwap(
    key: string,
    expected: unknown,
    value: unknown,
    options: PutOptions = {},
  ): Promise<boolean> {
    checkOptions(options, PUT_OPTIONS);
    const taskId = taskIdOf(key);
    if (taskId === null) return this.#shared.compareAndSwap(key, expected, value, options.ttl);
    refuseTtl(options.ttl);
    if (expected === null) return this.#createTask(taskId, value);
    return refuseTask(taskId, "use claimTask and releaseTask, or coordinator.tasks.update");
  }

  /**
   * Removes the key; `false` if there was none.
   *
   * @throws TaskError `invalid_request` for a task; `unavailable`
   * @example const wasThere = await bus.delete("deploy/leader");
   */
  async delete(key: string): Promise<boolean> {
    const taskId = taskIdOf(key);
    if (taskId === null) return this.#shared.delete(key);
    return refuseTask(taskId, "use coordinator.tasks.cancel");
  }

  /**
   * Calls the callback for each existing key with the prefix, then for each change, until the returned
   * function is called. Of several changes in quick succession, only the newest is sure to be delivered.
   * To watch tasks, use `Coordinator.subscribeTaskUpdates`.
   *
   * @throws TaskError `invalid_request` for a task; `unavailable`
   * @example
   * const stop = await bus.watch("deploy/", ({ key, operation, value }) => {
   *   console.log(key, operation, value);
   * });
   * stop();
   */
  async watch(prefix: string, callback: (change: SharedChange) => unknown): Promise<() => void> {
    const taskId = taskIdOf(prefix);
    if (typeof callback !== "function") throw invalidInput("callback", "must be a function");
    if (taskId !== null) refuseTask(taskId, "watch it with coordinator.subscribeTaskUpdates");
    return this.#shared.watch(prefix, callback);
  }

  /**
   * Asks the server and the coordinator whether they answer.
   * @example const { connected, coordinator, problem } = await bus.health();
   */
  async health(): Promise<BusHealth> {
    const down = { connected: false, coordinator: false, roundTripMs: null };
    if (!this.link.isConnected) return { ...down, problem: this.#whyDisconnected() };
    try {
      const roundTripMs = await within(HEALTH_TIMEOUT_MS, this.link.connection.rtt());
      if (roundTripMs === TIMED_OUT) return { ...down, problem: SILENT };
      const problem = await this.#coordinatorProblem();
      return { connected: true, coordinator: problem === null, roundTripMs, problem };
    } catch (error) {
      return { ...down, problem: String(error) };
    }
  }

  /**
   * `disconnect`, at the end of the scope.
   * @example await using bus = new EventBus({ backend: "nats" });
   */
  [Symbol.asyncDispose](): Promise<void> {
    return this.disconnect();
  }

  async #createTask(taskId: string, value: unknown): Promise<boolean> {
    try {
      await this.#tasks.create(taskId, toCreation(taskId, value));
      return true;
    } catch (error) {
      if (hasCode(error, "already_exists")) return false;
      throw error;
    }
  }

  #failed(problem: string): void {
    this.#problem = problem;
    this.logger.error(problem);
  }

  #whyDisconnected(): string {
    return this.link.isOpen
      ? "the connection to NATS is lost: it is being made again"
      : this.#problem;
  }

  async #coordinatorProblem(): Promise<string | null> {
    try {
      await this.#tasks.stats({ deadlineMs: 0, timeoutMs: HEALTH_TIMEOUT_MS });
      return null;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
}
