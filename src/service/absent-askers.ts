/**
 * Finds parked requests that nobody waits for any more, before a task is claimed for them.
 *
 * A request that came or was looked at within the last second is believed. Programs that end leave all of
 * their requests behind: after one without a listener the others are looked at as well, oldest first,
 * until some of them have one.
 */
import type { Claimed } from "./claims.ts";
import type { Clock } from "./ports.ts";
import type { Asker } from "./ready-claims.ts";
import type { WaiterQueue } from "./waiter-queue.ts";

const BELIEVED_MS = 1_000;
const AT_ONCE = 64;

export class AbsentAskers {
  readonly #waiters: WaiterQueue<Asker, Claimed[]>;
  readonly #clock: Clock;
  readonly #believedUntil = new WeakMap<Asker, number>();
  #search: Promise<void> | null = null;

  constructor(waiters: WaiterQueue<Asker, Claimed[]>, clock: Clock) {
    this.#waiters = waiters;
    this.#clock = clock;
  }

  /** The asker is known to listen. */
  believe(asker: Asker): void {
    this.#believedUntil.set(asker, this.#clock.now() + BELIEVED_MS);
  }

  /** Whether nobody waits for the answer. */
  async isAbsent(asker: Asker): Promise<boolean> {
    if (!this.#isDoubtful(asker)) return false;
    if ((await asker.isListening?.()) === false) return true;
    this.believe(asker);
    return false;
  }

  /** Ends the requests that nobody waits for. */
  end(): Promise<void> {
    this.#search ??= this.#endAll().finally(() => {
      this.#search = null;
    });
    return this.#search;
  }

  async #endAll(): Promise<void> {
    for (;;) {
      const chunk = this.#waiters.oldest(AT_ONCE, (asker) => this.#isDoubtful(asker));
      const areAbsent = await Promise.all(chunk.map(({ asker }) => this.isAbsent(asker)));
      for (const [i, waiter] of chunk.entries()) {
        if (areAbsent[i] === true) this.#waiters.end(waiter, []);
      }
      if (chunk.length === 0 || areAbsent.includes(false)) return;
    }
  }

  #isDoubtful(asker: Asker): boolean {
    const until = this.#believedUntil.get(asker) ?? 0;
    return asker.isListening !== undefined && until <= this.#clock.now();
  }
}
