/**
 * Corrects a task in the background after another write has made it wrong.
 *
 * Every worker sees the same changes and makes the same corrections, so these must be idempotent. The
 * worker that knows first acts at once. The others wait a moment and usually find the work done. A
 * correction that fails is tried again.
 */
import { hasCode } from "../protocol/errors.ts";
import type { BackgroundContext, Limiter } from "./background.ts";
import type { Clock, Observe } from "./ports.ts";

const WAIT_MS = 10;
const WAIT_SPREAD_MS = 30;
const AGAIN_MS = 1_000;

export interface Correction {
  /** The name of the work, for its failures. */
  readonly what: string;
  /** Whether the task needs the correction, as far as this worker knows. */
  isWrong(taskId: string): boolean;
  /** Corrects the task. Rejects with `not_found` if the task is gone. */
  correct(taskId: string): Promise<void>;
}

export class Reconciler {
  readonly #correction: Correction;
  readonly #limiter: Limiter;
  readonly #clock: Clock;
  readonly #observe: Observe;
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  readonly #underway = new Map<string, Promise<void>>();
  #stopped = false;

  constructor(correction: Correction, { limiter, clock, observe }: BackgroundContext) {
    this.#correction = correction;
    this.#limiter = limiter;
    this.#clock = clock;
    this.#observe = observe;
  }

  /** Resolves when the corrections under way have ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    await Promise.all(this.#underway.values());
  }

  /** Corrects the task at once: this worker knows first. */
  now(taskId: string): void {
    if (this.#correction.isWrong(taskId)) this.#begin(taskId);
  }

  /** Corrects the task after a moment: another worker may do it first. */
  soon(taskId: string): void {
    if (this.#correction.isWrong(taskId)) this.#later(taskId);
  }

  #later(taskId: string, delay = WAIT_MS + this.#clock.random() * WAIT_SPREAD_MS): void {
    if (this.#stopped || this.#timers.has(taskId)) return;
    const timer = setTimeout(() => {
      this.#timers.delete(taskId);
      this.now(taskId);
    }, delay);
    this.#timers.set(taskId, timer);
  }

  #begin(taskId: string): void {
    if (this.#stopped || this.#underway.has(taskId)) return;
    const underway = this.#limiter
      .run(() => this.#correct(taskId))
      .catch((cause: unknown) => {
        if (hasCode(cause, "not_found")) return;
        this.#observe({
          kind: "background_error",
          what: `${this.#correction.what} of ${taskId}`,
          cause,
        });
        this.#later(taskId, AGAIN_MS);
      })
      .finally(() => {
        this.#underway.delete(taskId);
        // The task may have changed meanwhile.
        this.soon(taskId);
      });
    this.#underway.set(taskId, underway);
  }

  async #correct(taskId: string): Promise<void> {
    // Another worker may have corrected it while this one waited for the limiter.
    if (!this.#stopped && this.#correction.isWrong(taskId)) {
      await this.#correction.correct(taskId);
    }
  }
}
