/**
 * How much of one kind of work is under way at a time. Some requests are much work each: a page of large records,
 * or the renewal of a thousand leases. So the amount is limited, for all and for each sender. Other work waits
 * for its turn, and the senders take turns.
 */
import { CoordinatorError } from "../protocol/errors.ts";

/** Amounts of work, in any unit. */
export interface GateLimits {
  /** Of all work under way. */
  readonly total: number;
  /** Of the work of one sender. */
  readonly perSender: number;
  /** How long work waits for its turn. */
  readonly waitMs: number;
}

/** Shorter than the timeout of clients. */
export const USUAL_WAIT_MS = 2_000;

interface PostponedWork {
  readonly amount: number;
  readonly begin: () => void;
}

interface SenderLoad {
  used: number;
  /** In the order of arrival. */
  readonly waiting: Set<PostponedWork>;
}

export class SenderGate {
  readonly #limits: GateLimits;
  readonly #refusal: string;
  #used = 0;
  /** Whether work waits for room that other senders use. Then no other work overtakes it. */
  #isFull = false;
  /** The senders that work or wait. The one whose turn was longest ago is first. */
  readonly #senders = new Map<string, SenderLoad>();

  /** `refusal`: what a sender is told whose turn does not come in time. */
  constructor(limits: GateLimits, refusal: string) {
    this.#limits = limits;
    this.#refusal = refusal;
  }

  /**
   * Does the work when it is its turn. `amount`: the most that it can be.
   *
   * @throws CoordinatorError `overloaded` if its turn does not come in time
   */
  async during<T>(name: string, amount: number, work: () => Promise<T>): Promise<T> {
    // Work that is larger than the limit runs alone.
    const counted = Math.min(amount, this.#limits.perSender, this.#limits.total);
    const sender = this.#senders.get(name) ?? { used: 0, waiting: new Set() };
    this.#senders.set(name, sender);
    if (sender.waiting.size > 0 || !this.#mayBegin(sender, counted)) {
      await this.#turn(name, sender, counted);
    } else this.#take(sender, counted);
    try {
      return await work();
    } finally {
      this.#take(sender, -counted);
      this.#dropIdle(name, sender);
      this.#beginWaiting();
    }
  }

  #mayBegin(sender: SenderLoad, amount: number): boolean {
    if (sender.used + amount > this.#limits.perSender) return false;
    this.#isFull ||= this.#used + amount > this.#limits.total;
    return !this.#isFull;
  }

  #take(sender: SenderLoad, amount: number): void {
    this.#used += amount;
    sender.used += amount;
  }

  #dropIdle(name: string, sender: SenderLoad): void {
    if (sender.used === 0 && sender.waiting.size === 0) this.#senders.delete(name);
  }

  #turn(name: string, sender: SenderLoad, amount: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiting = {
        amount,
        begin: () => {
          clearTimeout(timer);
          resolve();
        },
      };
      const timer = setTimeout(() => {
        sender.waiting.delete(waiting);
        this.#dropIdle(name, sender);
        this.#beginWaiting();
        reject(new CoordinatorError("overloaded", this.#refusal));
      }, this.#limits.waitMs);
      sender.waiting.add(waiting);
    });
  }

  /** Begins what fits now, one piece of work of each sender in turn. */
  #beginWaiting(): void {
    this.#isFull = false;
    for (let hasBegun = true; hasBegun;) {
      hasBegun = false;
      for (const [name, sender] of [...this.#senders]) {
        const [first] = sender.waiting;
        if (first === undefined || !this.#mayBegin(sender, first.amount)) continue;
        sender.waiting.delete(first);
        this.#take(sender, first.amount);
        // Its next turn comes after those of the others.
        this.#senders.delete(name);
        this.#senders.set(name, sender);
        first.begin();
        hasBegun = true;
      }
    }
  }
}
