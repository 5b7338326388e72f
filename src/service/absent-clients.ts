/**
 * Finds parked requests whose client no longer listens, before a task is claimed for them and in the
 * background.
 *
 * The client of a request that came or was checked within the last second is assumed to listen. A program
 * that ends leaves all of its requests behind. So once one client turns out to be absent, the other
 * requests of its sender are checked too, oldest first, until some of them have a client that listens.
 */
import type { Claimed } from "./claimed.ts";
import type { NextRequest } from "./next-request.ts";
import type { Clock } from "./ports.ts";
import type { ParkedQueue, ParkedRequest } from "./parked-queue.ts";

const TRUSTED_MS = 1_000;
/** The requests of a sender, or the senders, that are checked at the same time. */
const AT_ONCE = 64;
/** While requests are parked, those who have most of them are looked at this often. */
const SEARCH_MS = 2_000;
/** A search that is asked for sooner after the last one is left out. */
const SEARCH_AGAIN_MS = 500;

export class AbsentClients {
  readonly #queue: ParkedQueue<NextRequest, Claimed[]>;
  readonly #clock: Clock;
  readonly #trustedUntil = new WeakMap<NextRequest, number>();
  readonly #endings = new Map<string, Promise<void>>();
  /** The senders that were looked at for a refusal a moment ago. */
  readonly #looked = new Set<string>();
  #nextSearchAt = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(queue: ParkedQueue<NextRequest, Claimed[]>, clock: Clock) {
    this.#queue = queue;
    this.#clock = clock;
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
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

  /** Ends the requests of the sender whose clients are absent. */
  endRequestsOf(sender: string): Promise<void> {
    const ending =
      this.#endings.get(sender) ??
      this.#endAllOf(sender).finally(() => {
        this.#endings.delete(sender);
      });
    this.#endings.set(sender, ending);
    return ending;
  }

  /** Does the same for a request that was refused, at most every half second: a refusal must cost little. */
  lookAfterRefusal(sender: string): void {
    if (this.#looked.has(sender)) return;
    this.#looked.add(sender);
    setTimeout(() => {
      this.#looked.delete(sender);
    }, SEARCH_AGAIN_MS).unref();
    void this.endRequestsOf(sender);
  }

  /** From now on, until `stop`, those who have most requests are looked at while any are parked. */
  watch(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      void this.search();
      if (this.#queue.size > 0) this.watch();
    }, SEARCH_MS).unref();
  }

  /**
   * Looks at the oldest request of those senders that have most, and ends the requests of those who have left.
   * Never rejects.
   */
  async search(): Promise<void> {
    const now = this.#clock.steady();
    if (now < this.#nextSearchAt) return;
    this.#nextSearchAt = now + SEARCH_AGAIN_MS;
    const oldest: ParkedRequest<NextRequest, Claimed[]>[] = [];
    for (const sender of this.#queue.senders()) {
      oldest.push(...this.#oldestOf(sender, 1));
      if (oldest.length === AT_ONCE) break;
    }
    await Promise.all(
      oldest.map(async (parked) => {
        if (!(await this.isAbsent(parked.request))) return;
        this.#queue.end(parked, []);
        await this.endRequestsOf(parked.request.sender);
      }),
    );
  }

  async #endAllOf(sender: string): Promise<void> {
    const oldest = this.#oldestOf(sender, Infinity);
    for (let from = 0; from < oldest.length; from += AT_ONCE) {
      const chunk = oldest.slice(from, from + AT_ONCE);
      const areAbsent = await Promise.all(chunk.map(({ request }) => this.isAbsent(request)));
      for (const [i, parked] of chunk.entries()) {
        if (areAbsent[i] === true) this.#queue.end(parked, []);
      }
      if (areAbsent.includes(false)) return;
    }
  }

  #oldestOf(sender: string, count: number): ParkedRequest<NextRequest, Claimed[]>[] {
    return this.#queue.oldestOf(sender, count, (request) => this.#mayBeAbsent(request));
  }

  #mayBeAbsent(request: NextRequest): boolean {
    const until = this.#trustedUntil.get(request) ?? 0;
    return request.isListening !== undefined && until <= this.#clock.steady();
  }
}
