/**
 * Puts right what another write has made wrong about a task, in the background.
 *
 * Every worker sees the same changes and does the same, so the work has to be idempotent. A worker that
 * knows first acts at once; the others wait a moment and mostly find it done. What fails is tried again.
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
  /** Whether there is something to put right, as far as this worker knows. */
  isWrong(taskId: string): boolean;
  /** Puts it right; refused with `not_found` if the task is gone. */
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

  /** Resolves when the work under way has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    await Promise.all(this.#underway.values());
  }

  /** Nobody knows of it sooner than this worker. */
  now(taskId: string): void {
    if (this.#correction.isWrong(taskId)) this.#begin(taskId);
  }

  /** Another worker may know of it, too. */
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
        // Something may have changed meanwhile.
        this.soon(taskId);
      });
    this.#underway.set(taskId, underway);
  }

  async #correct(taskId: string): Promise<void> {
    // Another worker may have done it while this one was waiting for its turn.
    if (!this.#stopped && this.#correction.isWrong(taskId)) {
      await this.#correction.correct(taskId);
    }
  }
}
