/**
 * Decides when each request is handled, and which ones are refused.
 *
 * A request waits in the queue of its sender until it is the sender's turn (`fair-order.ts`). Mostly that is at
 * once. The time that its handling takes is charged to the sender. A request is refused if its sender sends too
 * fast or has too many requests waiting, or if it has waited too long. A sender that goes on gets no answers:
 * they would cost more time than the requests of others.
 */
import { FairOrder } from "./fair-order.ts";
import { KnownSender, type Problem, type Queued } from "./known-sender.ts";
import type { Arrival, Clock, Place } from "./ports.ts";
import type { LimitRules } from "./principal-rules.ts";
import type { ServiceSettings } from "./service-settings.ts";

/**
 * In one turn of the event loop, requests are handled for so long. Then the worker receives more of them, and
 * acknowledgements.
 */
const TURN_MS = 5;
/** The same in a flood. What is not received waits in front of the requests of others. */
const FLOOD_TURN_MS = 1;
/** It is a flood if so much has arrived in one turn. */
const FLOOD = { requests: 1_000, bytes: 1024 * 1024 };
/** A request that has waited so long is refused: its client may give up soon. */
const MAX_WAIT_MS = 2_000;
/** How often requests are looked for that have waited too long. */
const LATE_EVERY_MS = 500;
/** What the part of a request costs that comes after its first wait, roughly. */
const REST_MS = 0.05;
/** The requests that wait, of all senders. */
const MAX_WAITING = 10_000;
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
/** With more senders than this, those that are idle are forgotten. */
const MANY_SENDERS = 1_000;
/** With more senders than this, new ones share one queue. */
const MAX_SENDERS = 50_000;

export class Admission {
  readonly #settings: ServiceSettings;
  readonly #clock: Clock;
  readonly #rules: LimitRules;
  readonly #order: FairOrder<KnownSender>;
  readonly #senders = new Map<string, KnownSender>();
  #sweepAt = MANY_SENDERS;
  #places = 0;
  #inFlight = 0;
  #isScheduled = false;
  #turn = newTurn();
  #lateTimer: NodeJS.Timeout | null = null;

  constructor(settings: ServiceSettings, clock: Clock, rules: LimitRules) {
    this.#settings = settings;
    this.#clock = clock;
    this.#rules = rules;
    this.#order = new FairOrder();
  }

  /** The requests under way, without those that are parked. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** The requests that wait for their turn. */
  get waiting(): number {
    return this.#order.count;
  }

  /** The senders that are known at the moment. */
  get senders(): number {
    return this.#senders.size;
  }

  /** Whether the sender goes on although it gets no answers. Then its requests are not even looked at for a moment. */
  isShut(name: string): boolean {
    const sender = this.#senders.get(name);
    // Few senders ever were, and only of these the clock is asked.
    return sender?.wasShut === true && sender.isShut(this.#clock.steady());
  }

  /** Must not throw. */
  arrive(arrival: Arrival): void {
    const now = this.#clock.steady();
    this.#turn.requests++;
    this.#turn.bytes += arrival.bytes;
    const sender = this.#senders.get(arrival.sender) ?? this.#newSender(arrival.sender, now);
    sender.arrived(now, this.#rules);
    const problem = sender.problem(arrival.bytes) ?? this.#problem(arrival.bytes);
    if (problem !== null) {
      this.#refuse(sender, arrival, problem);
      return;
    }
    this.#order.add(sender, { arrival, bytes: arrival.bytes, arrivedAt: now });
    this.#schedule();
  }

  #newSender(name: string, now: number): KnownSender {
    if (this.#senders.size >= this.#sweepAt) this.#forgetIdle(now);
    const key = this.#senders.size < MAX_SENDERS ? name : "";
    const shared = this.#senders.get(key);
    if (shared !== undefined) return shared;
    const sender = new KnownSender(key, this.#places++, this.#settings);
    this.#senders.set(key, sender);
    return sender;
  }

  #forgetIdle(now: number): void {
    for (const [name, sender] of this.#senders) {
      if (sender.hasPaused(now, 1_000)) this.#senders.delete(name);
    }
    this.#sweepAt = Math.max(MANY_SENDERS, 2 * this.#senders.size);
  }

  /** Whether all senders together have too much waiting. */
  #problem(bytes: number): Problem | null {
    const { count, bytes: waiting } = this.#order;
    return count >= MAX_WAITING || waiting + bytes > MAX_WAITING_BYTES ? "full" : null;
  }

  #refuse(sender: KnownSender, arrival: Arrival, problem: Problem): void {
    const refusal = sender.refusal(problem, this.#clock.steady());
    if (refusal === null) arrival.drop();
    else arrival.refuse(refusal);
  }

  /** Handles requests soon: in this turn of the event loop, or after its end if this one had its share. */
  #schedule(): void {
    if (this.#isScheduled || this.#order.first() === undefined) return;
    this.#isScheduled = true;
    if (this.#hasTime()) process.nextTick(this.#serveIfScheduled);
  }

  readonly #serveIfScheduled = (): void => {
    if (this.#isScheduled) this.#serveSome();
  };

  #hasTime(): boolean {
    return this.#turn.usedMs < (isFlood(this.#turn) ? FLOOD_TURN_MS : TURN_MS);
  }

  #serveSome(): void {
    this.#isScheduled = false;
    let now = this.#clock.steady();
    while (this.#inFlight < this.#settings.maxInFlight) {
      const sender = this.#order.first();
      if (sender === undefined) break;
      if (!this.#hasTime()) {
        this.#isScheduled = true;
        break;
      }
      this.#serve(sender, now);
      const end = this.#clock.steady();
      this.#order.charge(sender, end - now + REST_MS);
      this.#turn.usedMs += end - now;
      now = end;
    }
    this.#seeEndOfTurn();
    if (this.#order.count > 0) this.#refuseLateSoon();
  }

  /** After little work, a turn may as well last longer: to see the end of each one would cost a system call. */
  #seeEndOfTurn(): void {
    const turn = this.#turn;
    if (turn.isSeen || (turn.usedMs < FLOOD_TURN_MS && !isFlood(turn))) return;
    turn.isSeen = true;
    setImmediate(() => {
      this.#turn = newTurn();
      this.#serveIfScheduled();
    });
  }

  #serve(sender: KnownSender, now: number): void {
    const queued = this.#order.take(sender);
    if (queued === undefined) return;
    const { arrival } = queued;
    if (isLate(queued, now)) {
      this.#refuse(sender, arrival, "late");
      return;
    }
    sender.admitted++;
    this.#count(sender, 1);
    const place = new PlaceOf(sender, this.#count);
    void arrival.serve(place).then(() => {
      sender.admitted--;
      this.#count(sender, -1);
    });
  }

  /** Those under way may take long, for example while NATS elects a leader. */
  #refuseLateSoon(): void {
    this.#lateTimer ??= setTimeout(() => {
      this.#lateTimer = null;
      const now = this.#clock.steady();
      for (const sender of this.#senders.values()) {
        for (let queued = sender.waiting[0]; queued !== undefined && isLate(queued, now);) {
          this.#order.take(sender);
          this.#refuse(sender, queued.arrival, "late");
          queued = sender.waiting[0];
        }
        this.#order.consider(sender);
      }
      if (this.#order.count > 0) this.#refuseLateSoon();
    }, LATE_EVERY_MS).unref();
  }

  readonly #count = (sender: KnownSender, difference: 1 | -1): void => {
    sender.inFlight += difference;
    this.#inFlight += difference;
    if (difference > 0) return;
    this.#order.consider(sender);
    this.#schedule();
  };
}

class PlaceOf implements Place {
  readonly #sender: KnownSender;
  readonly #count: (sender: KnownSender, difference: 1 | -1) => void;

  constructor(sender: KnownSender, count: (sender: KnownSender, difference: 1 | -1) => void) {
    this.#sender = sender;
    this.#count = count;
  }

  park(): void {
    this.#count(this.#sender, -1);
  }

  resume(): void {
    this.#count(this.#sender, 1);
  }
}

type Turn = ReturnType<typeof newTurn>;

/**
 * A turn of the event loop, or several with little work: what has arrived in it, and for how long requests have
 * been handled.
 */
function newTurn() {
  return { requests: 0, bytes: 0, usedMs: 0, isSeen: false };
}

function isFlood({ requests, bytes }: Turn): boolean {
  return requests >= FLOOD.requests || bytes >= FLOOD.bytes;
}

function isLate({ arrivedAt }: Queued, now: number): boolean {
  return now - arrivedAt > MAX_WAIT_MS;
}
