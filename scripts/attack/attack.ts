/** What every attack has: a connection, an end, and counts of what was sent and answered. */
import { setTimeout as delay } from "node:timers/promises";
import { type Asked, type Asker, outcomeOf } from "./asker.ts";

/** What the attacker has learned although it must not. */
export type LeakKind = "content" | "definition" | "existence" | "reach";

export interface AttackReport {
  readonly sent: number;
  /** Answers by outcome: `ok`, or the code of an error. */
  readonly answers: Readonly<Record<string, number>>;
  /** Why the client library or NATS did not take a message. */
  readonly refusedBySelf: string | null;
  /** Where it has learned something, by kind. */
  readonly leaks: Readonly<Partial<Record<LeakKind, readonly string[]>>>;
  readonly seconds: number;
  /** Of one core. */
  readonly busy: number;
}

/** Sent before it waits until the NATS server has read them. */
const BURST = 500;
const BURST_BYTES = 4 * 1024 * 1024;
const AGAIN_MS = 50;

export class Attack {
  readonly asker: Asker;
  readonly #ms: number;
  #endsAt = Infinity;
  readonly #answers = new Map<string, number>();
  readonly #leaks = new Map<LeakKind, Set<string>>();
  #sent = 0;
  #refused: string | null = null;
  #inbox: string | null = null;
  #serial = 0;

  constructor(asker: Asker, ms: number) {
    this.asker = asker;
    this.#ms = ms;
    this.begin();
  }

  /** Its time begins now, and what it has sent until now was preparation. */
  begin(): void {
    this.#endsAt = performance.now() + this.#ms;
  }

  get isOver(): boolean {
    return performance.now() >= this.#endsAt;
  }

  get sent(): number {
    return this.#sent;
  }

  get counts(): Omit<AttackReport, "seconds" | "busy"> {
    const answers = Object.fromEntries(this.#answers);
    const leaks = Object.fromEntries([...this.#leaks].map(([kind, where]) => [kind, [...where]]));
    return { sent: this.#sent, answers, refusedBySelf: this.#refused, leaks };
  }

  leak(kind: LeakKind, where: string): void {
    const found = this.#leaks.get(kind) ?? new Set();
    this.#leaks.set(kind, found.add(where));
  }

  async ask(subject: string, body: object, timeoutMs?: number): Promise<Asked> {
    this.#sent++;
    const asked = await this.asker.ask(subject, body, timeoutMs);
    this.#count(asked.outcome);
    return asked;
  }

  /** Repeats the step in so many loops at a time, until the end. */
  async inLoops(loops: number, step: (number: number) => Promise<unknown>): Promise<void> {
    let number = 0;
    const loop = async (): Promise<void> => {
      while (!this.isOver) await step(number++);
    };
    await Promise.all(Array.from({ length: loops }, loop));
  }

  /** Sends as fast as NATS reads, and waits for no answer. At most `count` in all, and `perSecond` in a second. */
  async flood(
    message: (number: number) => readonly [subject: string, payload: Uint8Array],
    { hasReply = true, count = Infinity, perSecond = Infinity } = {},
  ): Promise<void> {
    let number = 0;
    const from = performance.now();
    while (!this.isOver && number < count) {
      const early = (number / perSecond) * 1000 - (performance.now() - from);
      if (early > 0) await delay(early);
      let bytes = 0;
      for (let i = 0; i < BURST && bytes < BURST_BYTES && number < count; i++) {
        const [subject, payload] = message(number++);
        bytes += payload.length;
        if (!this.#publish(subject, payload, hasReply)) return;
      }
      await this.#untilRead();
    }
  }

  #publish(subject: string, payload: Uint8Array, hasReply: boolean): boolean {
    try {
      const reply = hasReply ? { reply: `${this.#ownInbox()}.${this.#serial++}` } : {};
      this.asker.connection.publish(subject, payload, reply);
      this.#sent++;
      return true;
    } catch (error) {
      this.#refused = error instanceof Error ? error.message : String(error);
      return false;
    }
  }

  /** Resolves when the NATS server has read everything. A connection that it has closed is opened again. */
  async #untilRead(): Promise<void> {
    const left = Math.max(0, this.#endsAt - performance.now());
    const read = this.asker.connection.flush().catch(() => delay(AGAIN_MS));
    await Promise.race([read, delay(left)]);
  }

  /** Where all answers to a flood arrive. */
  #ownInbox(): string {
    if (this.#inbox !== null) return this.#inbox;
    const { connection } = this.asker;
    const inbox = `_INBOX.${crypto.randomUUID().replaceAll("-", "")}`;
    connection.subscribe(`${inbox}.>`, {
      callback: (error, reply) => {
        if (error !== null) return;
        try {
          this.#count(outcomeOf(reply.json<Readonly<Record<string, unknown>>>()));
        } catch {
          this.#count("no answer");
        }
      },
    });
    this.#inbox = inbox;
    return inbox;
  }

  #count(outcome: string): void {
    this.#answers.set(outcome, (this.#answers.get(outcome) ?? 0) + 1);
  }
}
