/**
 * Signals to `run`. The first one lets the running commands end: it is passed on to their process groups, and
 * no task is claimed any longer. The second one kills them. The third one ends the process at once.
 */
import type { CommandProcess } from "./command-process.ts";

export const INTERRUPTS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
export type Interrupt = (typeof INTERRUPTS)[number];

/** npx passes on Ctrl-C, which the terminal has sent to its whole group already. */
const SAME_PRESS_MS = 300;

export class Interrupts {
  readonly #commands = new Set<CommandProcess>();
  readonly #first = new AbortController();
  #received: Interrupt | null = null;
  #count = 0;
  #lastAt = -Infinity;
  readonly #endNow: (signal: Interrupt) => void;

  /** @param endNow ends the process; it gets the signal that was received last */
  constructor(endNow: (signal: Interrupt) => void) {
    this.#endNow = endNow;
  }

  /** The first signal. */
  get received(): Interrupt | null {
    return this.#received;
  }

  /** Aborted by the first signal. */
  get signal(): AbortSignal {
    return this.#first.signal;
  }

  /** @param now milliseconds of a clock that does not jump */
  interrupt(signal: Interrupt, now: number): void {
    if (now - this.#lastAt < SAME_PRESS_MS) return;
    this.#lastAt = now;
    this.#count++;
    if (this.#count === 1) {
      this.#received = signal;
      this.#first.abort();
      for (const command of this.#commands) command.stop(signal);
    } else if (this.#count === 2) {
      for (const command of this.#commands) command.kill();
    } else {
      this.#endNow(signal);
    }
  }

  /** Passes signals on to the command until it has ended. */
  follow(command: CommandProcess): void {
    this.#commands.add(command);
    if (this.#received !== null) command.stop(this.#received);
    void command.ended.then(() => {
      this.#commands.delete(command);
    });
  }

  /** From then on, the signals do not end the process by themselves. */
  listen(): void {
    for (const signal of INTERRUPTS) {
      process.on(signal, () => {
        this.interrupt(signal, performance.now());
      });
    }
  }
}
