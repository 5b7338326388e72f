/**
 * Finds parked requests whose client no longer listens, before a task is claimed for them.
 *
 * The client of a request that came or was checked within the last second is assumed to listen. A program
 * that ends leaves all of its requests behind. So once one client turns out to be absent, the other
 * requests are checked too, oldest first, until some of them have a client that listens.
 */
import type { Claimed } from "./claimed.ts";
import type { NextRequest } from "./next-request.ts";
import type { Clock } from "./ports.ts";
import type { ParkedQueue } from "./parked-queue.ts";

const TRUSTED_MS = 1_000;
/** The requests that are checked at the same time. */
const AT_ONCE = 64;

export class AbsentClients {
  readonly #queue: ParkedQueue<NextRequest, Claimed[]>;
  readonly #clock: Clock;
  readonly #trustedUntil = new WeakMap<NextRequest, number>();
  #search: Promise<void> | null = null;

  constructor(queue: ParkedQueue<NextRequest, Claimed[]>, clock: Clock) {
    this.#queue = queue;
    this.#clock = clock;
  }

  /** The client is known to listen now. */
  noteListening(request: NextRequest): void {
    this.#trustedUntil.set(request, this.#clock.steady() + TRUSTED_MS);
  }

  /** Whether the client no longer waits for the answer. */
  async isAbsent(request: NextRequest): Promise<boolean> {
    if (!this.#mayBeAbsent(request)) return false;
    if ((await request.isListening?.()) === false) return true;
    this.noteListening(request);
    return false;
  }

  /** Ends the requests of absent clients. */
  endRequests(): Promise<void> {
    this.#search ??= this.#endAll().finally(() => {
      this.#search = null;
    });
    return this.#search;
  }

  async #endAll(): Promise<void> {
    for (;;) {
      const chunk = this.#queue.oldest(AT_ONCE, (request) => this.#mayBeAbsent(request));
      const areAbsent = await Promise.all(chunk.map(({ request }) => this.isAbsent(request)));
      for (const [i, parked] of chunk.entries()) {
        if (areAbsent[i] === true) this.#queue.end(parked, []);
      }
      if (chunk.length === 0 || areAbsent.includes(false)) return;
    }
  }

  #mayBeAbsent(request: NextRequest): boolean {
    const until = this.#trustedUntil.get(request) ?? 0;
    return request.isListening !== undefined && until <= this.#clock.steady();
  }
}
