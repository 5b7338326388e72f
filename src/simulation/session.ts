/**
 * One simulated session: it asks for a task and works on it for a few milliseconds. Then it completes or
 * fails the task, or drops its connection while it holds the task.
 */
import { setTimeout as delay } from "node:timers/promises";
import { TaskError } from "../client/task-error.ts";
import type { Reply, RequestInput } from "../protocol/operations.ts";
import type { ActivityLog } from "./activity-log.ts";
import type { Random } from "./random.ts";
import type { SessionLink } from "./session-link.ts";

/** Longer than the longest pause of a busy machine. */
const TTL_SECONDS = 10;
/** The shortest possible lease: it is not renewed, and other sessions wait for the task. */
const TTL_SECONDS_OF_A_CRASH = 1;
const WAIT_SECONDS = 5;
/** So many of the releases ask for the next task as well. */
const NEXT_SHARE = 0.5;
const MIN_WORK_MS = 5;
const MAX_WORK_MS = 50;
/** Longer than any failure that the coordinator survives. */
const DEADLINE_MS = 30_000;

export interface SessionSettings {
  readonly sessionId: string;
  readonly capabilities: readonly string[];
  readonly crashRate: number;
  readonly failRate: number;
}

type Claim = Reply<"tasks.next">["claims"][number];
/** Which task the session wants next. */
type NextWanted = Pick<RequestInput<"tasks.next">, "capabilities" | "ttl_seconds">;
type Intent = "complete" | "fail" | "crash";

export class SimulatedSession {
  readonly #settings: SessionSettings;
  readonly #link: SessionLink;
  readonly #random: Random;
  readonly #log: ActivityLog;
  readonly #stopping = new AbortController();

  constructor(settings: SessionSettings, link: SessionLink, random: Random, log: ActivityLog) {
    this.#settings = settings;
    this.#link = link;
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
      // Decided before the claim, because a session that will crash asks for a short lease.
      let intent = this.#drawIntent();
      let claim: Claim | null = null;
      while (claim !== null || !this.#stopping.signal.aborted) {
        claim ??= await this.#next(intent);
        if (claim === null) continue;
        await delay(MIN_WORK_MS + this.#random() * (MAX_WORK_MS - MIN_WORK_MS));
        if (intent === "crash") {
          this.#record(claim, "crashed");
          return "crashed";
        }
        const intentOfNext = this.#drawIntent();
        claim = await this.#release(claim, intent, intentOfNext);
        intent = intentOfNext;
      }
      return "stopped";
    } finally {
      await this.#link.close();
    }
  }

  /** The session still finishes the task that it holds. If it waits for a task, it stops at once. */
  stop(): void {
    this.#stopping.abort();
  }

  #drawIntent(): Intent {
    const drawn = this.#random();
    if (drawn < this.#settings.crashRate) return "crash";
    return drawn < this.#settings.crashRate + this.#settings.failRate ? "fail" : "complete";
  }

  /** Asks for a ready task, and measures that request. If there is none, it waits for a task. */
  async #next(intent: Intent): Promise<Claim | null> {
    const input = { session_id: this.#settings.sessionId, ...this.#wanted(intent) };
    const started = performance.now();
    const ready = await this.#ask(input);
    if (ready !== null) {
      this.#log.addClaimLatency(performance.now() - started);
      return ready;
    }
    return this.#ask({ ...input, wait_seconds: WAIT_SECONDS });
  }

  #wanted(intent: Intent): NextWanted {
    return {
      capabilities: [...this.#settings.capabilities],
      ttl_seconds: intent === "crash" ? TTL_SECONDS_OF_A_CRASH : TTL_SECONDS,
    };
  }

  /** `null`: there is no task, or the session was stopped. */
  async #ask(input: RequestInput<"tasks.next">): Promise<Claim | null> {
    const { signal } = this.#stopping;
    try {
      const options = { deadlineMs: DEADLINE_MS, signal };
      const { claims } = await this.#link.coordinator.tasks.next(input, options);
      return claims[0] ?? null;
    } catch (error) {
      if (signal.aborted) return null;
      throw error;
    }
  }

  /** Ends the claim. Returns the next one if the session asked for it and there is one. */
  async #release(
    claim: Claim,
    intent: "complete" | "fail",
    intentOfNext: Intent,
  ): Promise<Claim | null> {
    const { sessionId } = this.#settings;
    const holder = { session_id: sessionId, attempt: claim.attempt };
    const end =
      intent === "complete"
        ? ({ status: "complete", result: { session: sessionId } } as const)
        : ({ status: "failed", error: "simulated failure" } as const);
    const asksForNext = !this.#stopping.signal.aborted && this.#random() < NEXT_SHARE;
    const input = {
      ...holder,
      ...end,
      ...(asksForNext ? { next: this.#wanted(intentOfNext) } : {}),
    };
    const { tasks } = this.#link.coordinator;
    try {
      const options = { deadlineMs: DEADLINE_MS };
      const { next } = await tasks.release(claim.task.task_id, input, options);
      this.#record(claim, intent === "complete" ? "completed" : "failed");
      // After an error the session asks again, and is told then.
      return next?.claims[0] ?? null;
    } catch (error) {
      if (!(error instanceof TaskError) || !LOST.has(error.code)) throw error;
      this.#record(claim, "lost");
      return null;
    }
  }

  #record(claim: Claim, action: "completed" | "failed" | "crashed" | "lost"): void {
    const { sessionId } = this.#settings;
    this.#log.add({ sessionId, taskId: claim.task.task_id, attempt: claim.attempt, action });
  }
}

const LOST: ReadonlySet<string> = new Set(["lease_lost", "not_holder"]);
