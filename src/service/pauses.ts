/** Pauses in long work on tasks in memory, so that claims and renewals do not wait for its end. */
import type { Clock } from "./ports.ts";

/** Work of this length delays no request noticeably. */
const SLICE_MS = 4;
/** The clock is asked once for so many steps. */
const STEPS = 64;

export class Pauses {
  readonly #clock: Pick<Clock, "steady">;
  #beganAt: number;
  #steps = 0;

  constructor(clock: Pick<Clock, "steady">) {
    this.#clock = clock;
    this.#beganAt = clock.steady();
  }

  /** Whether it is time for a pause. `isLong`: the step took long, as one that encodes a record does. */
  isDue(isLong = false): boolean {
    if (!isLong && ++this.#steps % STEPS !== 0) return false;
    return this.#clock.steady() - this.#beganAt >= SLICE_MS;
  }

  /** Lets the worker handle what has arrived meanwhile. Indexes may change during the pause. */
  async take(): Promise<void> {
    await new Promise(setImmediate);
    this.#beganAt = this.#clock.steady();
  }
}
