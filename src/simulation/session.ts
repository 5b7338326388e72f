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
      while (!this.#stopping.signal.aborted) {
        // Decided before the claim, because a session that will crash asks for a short lease.
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
    const input = {
      session_id: this.#settings.sessionId,
      capabilities: [...this.#settings.capabilities],
      ttl_seconds: intent === "crash" ? TTL_SECONDS_OF_A_CRASH : TTL_SECONDS,
    };
    const started = performance.now();
    const ready = await this.#ask(input);
    if (ready !== null) {
      this.#log.addClaimLatency(performance.now() - started);
      return ready;
    }
    return this.#ask({ ...input, wait_seconds: WAIT_SECONDS });
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

  async #release(claim: Claim, intent: "complete" | "fail"): Promise<void> {
    const { sessionId } = this.#settings;
    const holder = { session_id: sessionId, attempt: claim.attempt };
    const end =
      intent === "complete"
        ? ({ status: "complete", result: { session: sessionId } } as const)
        : ({ status: "failed", error: "simulated failure" } as const);
    const { tasks } = this.#link.coordinator;
    try {
      await tasks.release(claim.task.task_id, { ...holder, ...end }, { deadlineMs: DEADLINE_MS });
      this.#record(claim, intent === "complete" ? "completed" : "failed");
    } catch (error) {
      if (!(error instanceof TaskError) || !LOST.has(error.code)) throw error;
      this.#record(claim, "lost");
    }
  }

  #record(claim: Claim, action: "completed" | "failed" | "crashed" | "lost"): void {
    const { sessionId } = this.#settings;
    this.#log.add({ sessionId, taskId: claim.task.task_id, attempt: claim.attempt, action });
  }
}

const LOST: ReadonlySet<string> = new Set(["lease_lost", "not_holder"]);
