/**
 * One simulated session: it asks for a task, works on it for a few milliseconds and completes it, or
 * lets it fail, or drops its connection while it holds it.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { TaskClient } from "../client/task-client.ts";
import { TaskError } from "../client/task-error.ts";
import type { Reply } from "../protocol/operations.ts";
import type { ActivityLog } from "./activity-log.ts";
import type { Random } from "./random.ts";

/** A lease that outlives the longest pause of a busy machine. */
const TTL_SECONDS = 10;
/** The shortest lease there is: nobody renews it and others wait for the task. */
const TTL_SECONDS_OF_A_CRASH = 1;
const WAIT_SECONDS = 5;
const MIN_WORK_MS = 5;
const MAX_WORK_MS = 50;
/** Before a request that got no answer, or a retryable refusal, is sent again. */
const RETRY_DELAY_MS = 50;

export interface SessionSettings {
  readonly sessionId: string;
  readonly capabilities: readonly string[];
  readonly crashRate: number;
  readonly failRate: number;
}

/** A connection of the session's own. */
export interface SessionConnection {
  readonly client: TaskClient;
  close(): Promise<void>;
}

type Claim = Reply<"tasks.next">["claims"][number];
type Intent = "complete" | "fail" | "crash";

export class SimulatedSession {
  readonly #settings: SessionSettings;
  readonly #connection: SessionConnection;
  readonly #random: Random;
  readonly #log: ActivityLog;
  #isStopping = false;
  #isWaiting = false;

  constructor(
    settings: SessionSettings,
    connection: SessionConnection,
    random: Random,
    log: ActivityLog,
  ) {
    this.#settings = settings;
    this.#connection = connection;
    this.#random = random;
    this.#log = log;
  }

  /**
   * Works until it crashes or is stopped, and closes its connection.
   *
   * @throws TaskError for a refusal that a well-behaved session should never get
   */
  async run(): Promise<"crashed" | "stopped"> {
    try {
      while (!this.#isStopping) {
        // Decided before the claim is made: a crash is given a short lease.
        const intent = this.#drawIntent();
        const claim = await this.#next(intent);
        if (claim === null) continue;
        await delay(MIN_WORK_MS + this.#random() * (MAX_WORK_MS - MIN_WORK_MS));
        if (intent === "crash") {
          this.#record(claim, "crashed");
          return "crashed";
        }
        await this.#release(claim, intent);
      }
      return "stopped";
    } finally {
      await this.#connection.close();
    }
  }

  /** Lets the task in hand be finished; a session that waits for one is disconnected at once. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    if (this.#isWaiting) await this.#connection.close();
  }

  #drawIntent(): Intent {
    const drawn = this.#random();
    if (drawn < this.#settings.crashRate) return "crash";
    return drawn < this.#settings.crashRate + this.#settings.failRate ? "fail" : "complete";
  }

  /** Asks for what is ready now, which is what is timed, and only then waits for a task. */
  async #next(intent: Intent): Promise<Claim | null> {
    const { client } = this.#connection;
    const input = {
      session_id: this.#settings.sessionId,
      capabilities: [...this.#settings.capabilities],
      ttl_seconds: intent === "crash" ? TTL_SECONDS_OF_A_CRASH : TTL_SECONDS,
    };
    const started = performance.now();
    const ready = await this.#untilAnswered(() => client.next(input));
    const claim = ready?.claims[0];
    if (claim !== undefined) {
      this.#log.addClaimLatency(performance.now() - started);
      return claim;
    }
    if (this.#isStopping) return null;
    this.#isWaiting = true;
    try {
      const waited = await this.#untilAnswered(() =>
        client.next({ ...input, wait_seconds: WAIT_SECONDS }),
      );
      return waited?.claims[0] ?? null;
    } finally {
      this.#isWaiting = false;
    }
  }

  async #release(claim: Claim, intent: "complete" | "fail"): Promise<void> {
    const { sessionId } = this.#settings;
    const holder = { session_id: sessionId, attempt: claim.attempt };
    const end =
      intent === "complete"
        ? ({ status: "complete", result: { session: sessionId } } as const)
        : ({ status: "failed", error: "simulated failure" } as const);
    try {
      const released = await this.#untilAnswered(() =>
        this.#connection.client.release(claim.task.task_id, { ...holder, ...end }),
      );
      if (released !== null) this.#record(claim, intent === "complete" ? "completed" : "failed");
    } catch (error) {
      if (!(error instanceof TaskError) || !LOST.has(error.code)) throw error;
      this.#record(claim, "lost");
    }
  }

  #record(claim: Claim, action: "completed" | "failed" | "crashed" | "lost"): void {
    const { sessionId } = this.#settings;
    this.#log.add({ sessionId, taskId: claim.task.task_id, attempt: claim.attempt, action });
  }

  /**
   * The request is repeated as it is, which the protocol makes safe: all that a lost answer to `next`
   * can cost is an attempt whose lease expires. `null`: stopped before there was an answer.
   */
  async #untilAnswered<T>(send: () => Promise<T>): Promise<T | null> {
    for (;;) {
      try {
        return await send();
      } catch (error) {
        if (!(error instanceof TaskError) || !error.retryable) throw error;
        if (this.#isStopping) return null;
        await delay(RETRY_DELAY_MS);
      }
    }
  }
}

const LOST: ReadonlySet<string> = new Set(["lease_lost", "not_holder"]);
