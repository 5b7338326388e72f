/**
 * Bounds the lines at `debug`. Each request and each write has one, so a client that sends as fast as it can
 * would otherwise fill the disk with 10 MB a second.
 *
 * Time is passed in. The timer is in `logger.ts`.
 */
import type { LogLine } from "./log-lines.ts";

/** More lines than these in one second are only counted. */
export const MAX_DEBUG_LINES = 1_000;

export class DebugLines {
  #second = -1;
  #count = 0;
  #leftOut = 0;

  /** Whether a line at `debug` may be written now, in milliseconds of any monotonic clock. */
  allows(now: number): boolean {
    const second = Math.floor(now / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#count = 0;
    }
    if (++this.#count <= MAX_DEBUG_LINES) return true;
    this.#leftOut++;
    return false;
  }

  /** Whether `due` may return a line later. */
  get isOpen(): boolean {
    return this.#leftOut > 0;
  }

  /** The line about what has been left out, if there is anything. Call it about once a second. */
  due(): LogLine[] {
    if (this.#leftOut === 0) return [];
    const lines = this.#leftOut;
    this.#leftOut = 0;
    return [{ level: "debug", message: "too many lines at debug, left out", fields: { lines } }];
  }
}
