/** The agent's side of the coordinator: claim, release and watch tasks, and run workers. */
import type { ErrorCode } from "../protocol/errors.ts";
import type { TaskRecord } from "../protocol/task-record.ts";
import type { CallOptions } from "./call-options.ts";
import { checkOptions } from "./check-options.ts";
import type { Claim } from "./claim.ts";
import { loopOverClaims, type Stop } from "./claim-loop.ts";
import {
  type ClaimOptions,
  STOP_OPTIONS,
  type StopOptions,
  type WorkOptions,
} from "./claim-options.ts";
import type { WorkContext } from "./claim-source.ts";
import {
  CLAIM_TASK_OPTIONS,
  type ClaimTaskOptions,
  COORDINATOR_OPTIONS,
  type CoordinatorOptions,
  RELEASE_TASK_OPTIONS,
  type ReleaseTaskOptions,
  SUBSCRIBE_OPTIONS,
  type SubscribeOptions,
} from "./coordinator-options.ts";
import type { EventBus } from "./event-bus.ts";
import type { Logger } from "./logger.ts";
import { releaseFields } from "./release-options.ts";
import { TaskClient } from "./task-client.ts";
import { hasCode, invalidInput, TaskError } from "./task-error.ts";
import type { TaskHandler } from "./task-handler.ts";
import type { TaskUpdate } from "./task-update.ts";
import { TaskWorker } from "./task-worker.ts";
import { compileFilter } from "./update-filter.ts";

/**
 * Claims, releases and watches tasks.
 *
 * @example
 * const coordinator = new Coordinator(bus);
 * if (await coordinator.claimTask("P0.5.1", "session-1")) {
 *   await coordinator.releaseTask("P0.5.1", "session-1", "complete");
 * }
 */
export class Coordinator implements AsyncDisposable {
  /** A method for every operation of the coordinator. Each resolves to the reply, or rejects with a `TaskError`. */
  readonly tasks: TaskClient;
  readonly #bus: EventBus;
  readonly #logger: Logger;
  /** Distinguishes this process from others that use the same sessions. */
  readonly #instance = crypto.randomUUID();
  /** The sessions of the workers and loops that run. */
  readonly #sessions = new Set<string>();
  readonly #subscriptions = new Set<string>();
  /** End the workers and loops that run. */
  readonly #stops = new Set<Stop>();
  #stopping = new AbortController();

  /** The event bus may be connected before or later. @throws TaskError `invalid_request` */
  constructor(eventBus: EventBus, options: CoordinatorOptions = {}) {
    checkOptions(options, COORDINATOR_OPTIONS);
    this.#bus = eventBus;
    this.#logger = options.logger ?? eventBus.logger;
    this.tasks = new TaskClient(eventBus.link, { ...options, logger: this.#logger });
  }

  /**
   * Claims a task for a session. `true` also if the session holds the task already and this coordinator
   * has claimed it. `false` if another session holds the task (or another process with the same session),
   * if the task is not available or does not exist, or if the session lacks a capability. `tasks.claim`
   * says which of these it is.
   *
   * @throws TaskError for any other reason, such as `unavailable`, or `session_replaced` for a session
   * that another process has registered
   * @example const isMine = await coordinator.claimTask("P0.5.1", "session-1", { ttlSeconds: 60 });
   */
  async claimTask(
    taskId: string,
    sessionId: string,
    options: ClaimTaskOptions = {},
  ): Promise<boolean> {
    checkOptions(options, CLAIM_TASK_OPTIONS);
    const { ttlSeconds, capabilities, releaseOnDisconnect, ...call } = options;
    const input = {
      session_id: sessionId,
      instance: this.#instance,
      ...(ttlSeconds === undefined ? {} : { ttl_seconds: ttlSeconds }),
      ...(capabilities === undefined ? {} : { capabilities: [...capabilities] }),
      ...(releaseOnDisconnect === undefined ? {} : { release_on_disconnect: releaseOnDisconnect }),
    };
    return isDone(this.tasks.claim(taskId, input, call), NOT_TO_BE_HAD);
  }

  /**
   * Ends a session's claim. `false` if the session does not hold the task, or no longer; `tasks.release`
   * says why.
   *
   * @throws TaskError for any other reason, such as `unavailable`
   * @example await coordinator.releaseTask("P0.5.1", "session-1", "complete", { result: { pages: 3 } });
   */
  async releaseTask(
    taskId: string,
    sessionId: string,
    status: "available" | "complete" | "failed",
    options: ReleaseTaskOptions = {},
  ): Promise<boolean> {
    checkOptions(options, RELEASE_TASK_OPTIONS);
    const { timeoutMs, deadlineMs, signal, delaySeconds, resumeAt, cause, ...fields } = options;
    const given = releaseFields({ delaySeconds, resumeAt, cause });
    const input = { session_id: sessionId, status, ...fields, ...given };
    const call = { timeoutMs, deadlineMs, signal };
    return isDone(this.tasks.release(taskId, input, call), NOT_HELD);
  }

  /**
   * The task's record, or `null` if there is no such task.
   *
   * @throws TaskError
   * @example const isDone = (await coordinator.getTaskStatus("P0.5.1"))?.status === "complete";
   */
  async getTaskStatus(taskId: string, options?: CallOptions): Promise<TaskRecord | null> {
    try {
      return (await this.tasks.get(taskId, options)).task;
    } catch (error) {
      if (hasCode(error, "not_found")) return null;
      throw error;
    }
  }

  /**
   * Calls the callback for every transition of every task, in the order of the revisions, and none twice.
   * The subscription continues after lost connections and restarts of the server. If the callback returns a
   * promise, the next update waits for it. A backlog stays in the bucket, not in memory. An error of the
   * callback is logged.
   *
   * @returns the id of the subscription, as soon as every later transition is sure to be delivered
   * @throws TaskError `invalid_request`, `unavailable`
   * @example
   * const options: SubscribeOptions = { since: "beginning", filter: { prefix: "P0." } };
   * const id = await coordinator.subscribeTaskUpdates(({ revision, task_id, type }) => {
   *   console.log(revision, task_id, type);
   * }, options);
   */
  async subscribeTaskUpdates(
    callback: (update: TaskUpdate) => unknown,
    options: SubscribeOptions = {},
  ): Promise<string> {
    checkOptions(options, SUBSCRIBE_OPTIONS);
    const { filter = {}, since = "now", onRemoved } = options;
    if (typeof callback !== "function") throw invalidInput("callback", "must be a function");
    const subscriber = { callback, onRemoved, filter: compileFilter(filter) };
    const id = await this.#bus.feed.subscribe(subscriber, since);
    this.#subscriptions.add(id);
    return id;
  }

  /**
   * The callback is no longer called. `false` if there is no such subscription.
   * @example coordinator.unsubscribe(await coordinator.subscribeTaskUpdates(console.log));
   */
  unsubscribe(subscriptionId: string): boolean {
    this.#subscriptions.delete(subscriptionId);
    return this.#bus.feed.unsubscribe(subscriptionId);
  }

  /**
   * Starts a worker: it registers the session, takes tasks as they become ready, and renews their leases.
   * It completes each task with the value that the handler returns, or fails it with the error that the
   * handler throws.
   *
   * @throws TaskError `invalid_request`
   * @example
   * const worker = coordinator.work({}, ({ title }) => title.length);
   * await worker.done;
   */
  work(options: WorkOptions, handler: TaskHandler): TaskWorker {
    const worker = new TaskWorker(options, handler, this.#context());
    const stop: Stop = (how) => worker.stop(how);
    this.#stops.add(stop);
    void worker.done
      .catch(() => undefined)
      .then(() => {
        this.#stops.delete(stop);
      });
    return worker;
  }

  /**
   * The session's claims, one after the other, for callers who want their own loop. The leases are renewed
   * until the claims end. When the loop ends, the session ends, and the tasks that it still holds go back
   * to the pool.
   *
   * @throws TaskError `invalid_request`, or for a refusal by the coordinator
   * @example
   * for await (const claim of coordinator.claims({ stopWhenIdle: true })) {
   *   await claim.complete(claim.task.title.length);
   * }
   */
  claims(options: ClaimOptions = {}): AsyncGenerator<Claim, void, undefined> {
    return loopOverClaims(options, this.#context(), this.#stops);
  }

  /**
   * Resolves when `stop` is called, or the event bus is disconnected.
   *
   * @throws TaskError `unavailable` if there is no connection, or it is lost for good
   * @example
   * process.once("SIGTERM", () => void coordinator.stop());
   * await coordinator.run();
   */
  async run(): Promise<void> {
    const stopped = new Promise<undefined>((resolve) => {
      this.#stopping.signal.addEventListener("abort", () => {
        resolve(undefined);
      });
    });
    const problem = await Promise.race([stopped, this.#bus.link.closed]);
    if (problem === undefined) return;
    const message = `the connection to NATS is lost: ${problem.message}`;
    throw new TaskError("unavailable", message, { retryable: false, cause: problem });
  }

  /**
   * Stops the workers and the loops over claims, as the `stop` of a worker does. It ends the
   * subscriptions, and `run` resolves. The event bus stays connected.
   * @example await coordinator.stop({ deadlineMs: 5_000 });
   */
  async stop(options: StopOptions = {}): Promise<void> {
    checkOptions(options, STOP_OPTIONS);
    await Promise.all([...this.#stops].map((stop) => stop(options)));
    for (const id of [...this.#subscriptions]) this.unsubscribe(id);
    this.#stopping.abort();
    this.#stopping = new AbortController();
  }

  /**
   * `stop`, at the end of the scope.
   * @example await using coordinator = new Coordinator(bus);
   */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #context(): WorkContext {
    const { link } = this.#bus;
    const [instance, sessions] = [this.#instance, this.#sessions];
    return { link, tasks: this.tasks, logger: this.#logger, instance, sessions };
  }
}

/** `false` if the operation is refused for one of the reasons. */
async function isDone(
  operation: Promise<unknown>,
  refusals: readonly ErrorCode[],
): Promise<boolean> {
  try {
    await operation;
    return true;
  } catch (error) {
    if (hasCode(error, ...refusals)) return false;
    throw error;
  }
}

const NOT_TO_BE_HAD = [
  "already_claimed",
  "not_available",
  "missing_capabilities",
  "not_found",
] as const;
const NOT_HELD = ["lease_lost", "not_holder", "not_found"] as const;
