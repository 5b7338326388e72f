/**
 * A session that works: it takes tasks and calls the handler for each. It has three states:
 *
 * - _working_, until it is stopped, is idle (with `stopWhenIdle`), or is refused by the coordinator;
 * - _stopping_, until no handler runs or the deadline has passed;
 * - _done_.
 */
import { startTimer, type StopTimer } from "../timers.ts";
import type { Claim } from "./claim.ts";
import { checkOptions } from "./check-options.ts";
import {
  DEFAULT_STOP_MS,
  STOP_OPTIONS,
  type StopOptions,
  WORK_OPTIONS,
  type WorkOptions,
} from "./claim-options.ts";
import { ClaimSource, type WorkContext } from "./claim-source.ts";
import { handleClaim } from "./handle-claim.ts";
import { describeError, type Logger } from "./logger.ts";
import { invalidInput, TaskError } from "./task-error.ts";
import type { TaskHandler } from "./task-handler.ts";

/**
 * A session that works. Made by `Coordinator.work`.
 *
 * @example
 * const worker = coordinator.work({}, async (task) => task.title.length);
 * process.once("SIGTERM", () => void worker.stop());
 * await worker.done;
 */
export class TaskWorker {
  /**
   * Resolves when the worker has ended and holds no task. Rejects with the `TaskError` if the coordinator
   * refuses what it asks for.
   */
  readonly done: Promise<void>;
  /** The id of the session. */
  readonly session: string;
  readonly #source: ClaimSource;
  /** Set if another process has taken over the session. */
  #replacement: TaskError | null = null;
  readonly #concurrency: number;
  readonly #stopWhenIdle: boolean;
  readonly #handler: TaskHandler;
  readonly #logger: Logger;
  readonly #running = new Set<Promise<void>>();
  /** Aborted: the worker takes no more tasks. */
  readonly #stopping = new AbortController();
  /** Aborted: the worker gives back the tasks whose handlers still run. */
  readonly #overdue = new AbortController();
  #overdueAt = Infinity;
  #stopOverdueTimer: StopTimer | undefined;
  /** Called when a handler has ended, or the worker is stopped. */
  #wake: () => void = () => undefined;

  /** @internal */
  constructor(options: WorkOptions, handler: TaskHandler, context: WorkContext) {
    checkOptions(options, WORK_OPTIONS);
    const { concurrency = 1, ...claimOptions } = options;
    if (typeof handler !== "function") {
      throw invalidInput("handler", "must be a function that does the work");
    }
    const replaced = (error: TaskError): void => {
      this.#replaced(error);
    };
    this.#source = new ClaimSource(claimOptions, { ...context, replaced });
    this.session = this.#source.session;
    this.#concurrency = concurrency;
    this.#stopWhenIdle = options.stopWhenIdle ?? false;
    this.#handler = handler;
    this.#logger = context.logger;
    this.done = this.#run();
    // A caller that ignores the promise finds the error in the log.
    this.done.catch((error: unknown) => {
      this.#logger.error(`the worker ${this.session} has ended: ${describeError(error)}`);
    });
  }

  /**
   * After an end by `stopWhenIdle`: the ids of tasks that are left because they wait for a failed or
   * cancelled task, at most 100. Requeue or update these tasks, or the tasks that they wait for.
   * @example
   * await worker.done;
   * if (worker.deadEnds.length > 0) process.exitCode = 1;
   */
  get deadEnds(): readonly string[] {
    return this.#source.deadEnds;
  }

  /**
   * Takes no more tasks, and resolves when the worker holds none. Handlers may continue until the deadline.
   * Then their `signal` is aborted, and their tasks go back to the pool. Can be called again: the earliest
   * deadline counts.
   * @example await worker.stop({ deadlineMs: 5_000 });
   */
  async stop(options: StopOptions = {}): Promise<void> {
    checkOptions(options, STOP_OPTIONS);
    this.#stopping.abort(new TaskError("not_available", "the worker was stopped"));
    this.#wake();
    const deadlineMs = options.deadlineMs ?? DEFAULT_STOP_MS;
    const overdueAt = performance.now() + deadlineMs;
    if (overdueAt < this.#overdueAt) {
      this.#overdueAt = overdueAt;
      this.#stopOverdueTimer?.();
      this.#stopOverdueTimer = startTimer(deadlineMs, () => {
        this.#overdue.abort();
      });
    }
    await this.done.catch(() => undefined);
    this.#stopOverdueTimer?.();
  }

  async #run(): Promise<void> {
    try {
      await this.#source.start(this.#stopping.signal);
      await this.#takeTasks();
    } catch (error) {
      // Without a connection, no lease can be renewed and no task ended.
      if (isClosed(error)) this.#overdue.abort();
      if (!this.#stopping.signal.aborted) throw error;
    } finally {
      this.#source.drain();
      await this.#handlersDone();
      await this.#source.stop();
    }
    if (this.#replacement !== null) throw this.#replacement;
  }

  /** The session no longer holds a task, and cannot claim one. The worker does not wait for its handlers. */
  #replaced(error: TaskError): void {
    this.#replacement = error;
    this.#stopping.abort(error);
    this.#overdue.abort();
    this.#wake();
  }

  async #takeTasks(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const free = this.#concurrency - this.#running.size;
      if (free === 0) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      const claims = await this.#source.take(free, signal);
      for (const claim of claims) this.#start(claim);
      if (this.#stopWhenIdle && this.#running.size === 0) return;
    }
  }

  #start(claim: Claim): void {
    const running = this.#handle(claim).finally(() => {
      this.#running.delete(running);
      this.#wake();
    });
    this.#running.add(running);
  }

  /** Never rejects. */
  async #handle(claim: Claim): Promise<void> {
    const { task, attempt } = claim;
    try {
      // A task that was handed out just when the worker was stopped goes back.
      if (this.#stopping.signal.aborted) await claim.release();
      else await handleClaim(claim, this.session, this.#handler, this.#logger);
    } catch (error) {
      // The claim is over, or the coordinator could not be told.
      this.#logger.warn(`${task.task_id} (attempt ${attempt}) was not ended: ${String(error)}`);
    }
  }

  /** Resolves when no handler runs, or the deadline has passed. */
  async #handlersDone(): Promise<void> {
    const overdue = new Promise<void>((resolve) => {
      if (this.#overdue.signal.aborted) resolve();
      this.#overdue.signal.addEventListener("abort", () => {
        resolve();
      });
    });
    await Promise.race([Promise.all(this.#running), overdue]);
  }
}

function isClosed(error: unknown): boolean {
  return error instanceof TaskError && error.details.problem === "closed";
}
