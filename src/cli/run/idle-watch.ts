/**
 * Decides when `run` ends because there is nothing to do. It watches only while no command runs:
 *
 * - with a limit, until no task has come for that long;
 * - with `untilEmpty`, until no task is left that the session can claim now or later.
 */
import { startTimer, type StopTimer } from "../../timers.ts";

export type IdleEnd = "waited" | "empty";

export interface IdleOptions {
  /** How long to wait for a task. `Infinity`: forever. */
  readonly waitMs: number;
  /** Whether a task is left; must not reject. Not given: does not matter. */
  readonly isLeft?: () => Promise<boolean>;
  /** Called at most once. */
  readonly ended: (why: IdleEnd) => void;
}

/** A task that is ready is claimed before this. */
const FIRST_CHECK_MS = 100;
const CHECK_MS = 1_000;

export class IdleWatch {
  readonly #options: IdleOptions;
  #stopTimers: readonly StopTimer[] = [];
  /** Counts the times without a task: an answer that belongs to an earlier one is old. */
  #period = 0;

  constructor(options: IdleOptions) {
    this.#options = options;
  }

  start(): void {
    this.stop();
    const { waitMs, isLeft, ended } = this.#options;
    const stopWaiting = startTimer(waitMs, () => {
      this.stop();
      ended("waited");
    });
    this.#stopTimers = [stopWaiting];
    if (isLeft !== undefined) this.#checkIn(FIRST_CHECK_MS, isLeft, this.#period);
  }

  stop(): void {
    this.#period++;
    for (const stopTimer of this.#stopTimers) stopTimer();
    this.#stopTimers = [];
  }

  #checkIn(ms: number, isLeft: () => Promise<boolean>, period: number): void {
    const stopTimer = startTimer(ms, () => {
      void this.#check(isLeft, period);
    });
    this.#stopTimers = [...this.#stopTimers.slice(0, 1), stopTimer];
  }

  async #check(isLeft: () => Promise<boolean>, period: number): Promise<void> {
    const left = await isLeft();
    if (period !== this.#period) return;
    if (left) {
      this.#checkIn(CHECK_MS, isLeft, period);
      return;
    }
    this.stop();
    this.#options.ended("empty");
  }
}
