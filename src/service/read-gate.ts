/**
 * How much is read at a time. A page of large records costs the worker and the NATS server a megabyte each, and
 * a client can ask for pages faster than they can be sent. So the bytes under way are limited, for all and for
 * each sender. Other reads wait for their turn, and the senders take turns.
 */
import { CoordinatorError } from "../protocol/errors.ts";
import { MAX_PAGE_BYTES } from "./reply-page.ts";

export interface ReadLimits {
  /** Bytes of all reads under way. */
  readonly total: number;
  /** Bytes of the reads of one sender. */
  readonly perSender: number;
  /** How long a read waits for its turn. */
  readonly waitMs: number;
}

const USUAL_LIMITS: ReadLimits = {
  total: 16 * MAX_PAGE_BYTES,
  perSender: 2 * MAX_PAGE_BYTES,
  // Shorter than the timeout of clients.
  waitMs: 2_000,
};

interface Waiting {
  readonly bytes: number;
  readonly begin: () => void;
}

interface Sender {
  used: number;
  /** In the order of arrival. */
  readonly waiting: Set<Waiting>;
}

export class ReadGate {
  readonly #limits: ReadLimits;
  #used = 0;
  /** Whether a read waits for bytes that other senders use. Then no other read overtakes it. */
  #isFull = false;
  /** The senders that read or wait. The one whose turn was longest ago is first. */
  readonly #senders = new Map<string, Sender>();

  constructor(limits = USUAL_LIMITS) {
    this.#limits = limits;
  }

  /**
   * Calls `read` when it is its turn. `bytes`: the most that it reads.
   *
   * @throws CoordinatorError `overloaded` if its turn does not come in time
   */
  async during<T>(name: string, bytes: number, read: () => Promise<T>): Promise<T> {
    // A read that is larger than the limit runs alone.
    const counted = Math.min(bytes, this.#limits.perSender, this.#limits.total);
    const sender = this.#senders.get(name) ?? { used: 0, waiting: new Set() };
    this.#senders.set(name, sender);
    if (sender.waiting.size > 0 || !this.#mayBegin(sender, counted)) {
      await this.#turn(name, sender, counted);
    } else this.#take(sender, counted);
    try {
      return await read();
    } finally {
      this.#take(sender, -counted);
      this.#dropIdle(name, sender);
      this.#beginWaiting();
    }
  }

  #mayBegin(sender: Sender, bytes: number): boolean {
    if (sender.used + bytes > this.#limits.perSender) return false;
    this.#isFull ||= this.#used + bytes > this.#limits.total;
    return !this.#isFull;
  }

  #take(sender: Sender, bytes: number): void {
    this.#used += bytes;
    sender.used += bytes;
  }

  #dropIdle(name: string, sender: Sender): void {
    if (sender.used === 0 && sender.waiting.size === 0) this.#senders.delete(name);
  }

  #turn(name: string, sender: Sender, bytes: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiting = {
        bytes,
        begin: () => {
          clearTimeout(timer);
          resolve();
        },
      };
      const timer = setTimeout(() => {
        sender.waiting.delete(waiting);
        this.#dropIdle(name, sender);
        this.#beginWaiting();
        reject(
          new CoordinatorError(
            "overloaded",
            "too many reads wait for their turn: ask again in a moment, for one page after the other",
          ),
        );
      }, this.#limits.waitMs);
      sender.waiting.add(waiting);
    });
  }

  /** Begins what fits now, one read of each sender in turn. */
  #beginWaiting(): void {
    this.#isFull = false;
    for (let hasBegun = true; hasBegun;) {
      hasBegun = false;
      for (const [name, sender] of [...this.#senders]) {
        const [first] = sender.waiting;
        if (first === undefined || !this.#mayBegin(sender, first.bytes)) continue;
        sender.waiting.delete(first);
        this.#take(sender, first.bytes);
        // Its next turn comes after those of the others.
        this.#senders.delete(name);
        this.#senders.set(name, sender);
        first.begin();
        hasBegun = true;
      }
    }
  }
}
