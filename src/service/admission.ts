/**
 * Decides when each request is handled, and which ones are refused.
 *
 * A request waits in the queue of its sender until it is the sender's turn (`fair-order.ts`). Mostly that is at
 * once. The time that its handling takes is charged to the sender. A request is refused if its sender sends too
 * fast or has too many requests waiting, or if it has waited too long. A sender that goes on gets no answers:
 * they would cost more time than the requests of others.
 */
import { CoordinatorError } from "../protocol/errors.ts";
import { FairOrder, Sender, type Waiting } from "./fair-order.ts";
import { AGENT_ROOT, OPERATOR_ROOT } from "../protocol/subjects.ts";
import type { Arrival, Clock } from "./ports.ts";
import type { PrincipalRules } from "./principal-rules.ts";
import type { ServiceSettings } from "./service-settings.ts";

/** Requests are handled for so long before the worker receives more of them, and acknowledgements. */
const SLICE_MS = 5;
/** A request that has waited so long is refused: its client may give up soon. */
const MAX_WAIT_MS = 2_000;
/** How often requests are looked for that have waited too long. */
const LATE_EVERY_MS = 500;
/** What the part of a request costs that comes after its first wait, roughly. */
const REST_MS = 0.05;
/** The requests that wait, of all senders. */
const MAX_WAITING = 10_000;
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
const MAX_WAITING_BYTES_OF_SENDER = 16 * 1024 * 1024;
/** So many refusals of one sender are answered in a second. Its other requests are dropped. */
const REFUSALS_PER_SECOND = 500;
/** With more senders than this, those that are idle are forgotten. */
const MANY_SENDERS = 1_000;
/** With more senders than this, new ones share one queue. */
const MAX_SENDERS = 50_000;

interface Queued extends Waiting {
  readonly arrival: Arrival;
  readonly arrivedAt: number;
}

/** The sender is too fast, or has too many requests waiting; all have; or the request has waited too long. */
type Problem = "too_fast" | "too_many" | "full" | "late";

/** A sender, and the requests and refusals that it may still have in this second. */
class KnownSender extends Sender<Queued> {
  /** Requests a second; 0: no limit. */
  rate = 0;
  requestsLeft = Infinity;
  refusalsLeft = REFUSALS_PER_SECOND;
  arrivedAt = -Infinity;

  get isOperator(): boolean {
    return this.name.startsWith(`${OPERATOR_ROOT}.`);
  }
}

export class Admission {
  readonly #settings: ServiceSettings;
  readonly #clock: Clock;
  readonly #rules: Pick<PrincipalRules, "limitOf">;
  readonly #order: FairOrder<KnownSender>;
  readonly #senders = new Map<string, KnownSender>();
  #sweepAt = MANY_SENDERS;
  #places = 0;
  #inFlight = 0;
  #isScheduled = false;
  #lateTimer: NodeJS.Timeout | null = null;

  constructor(settings: ServiceSettings, clock: Clock, rules: Pick<PrincipalRules, "limitOf">) {
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

  /** Must not throw. */
  arrive(arrival: Arrival): void {
    const now = this.#clock.steady();
    const sender = this.#senderOf(arrival.sender, now);
    const problem = this.#problem(sender, arrival.bytes);
    if (problem !== null) {
      this.#refuse(sender, arrival, problem);
      return;
    }
    this.#order.add(sender, { arrival, bytes: arrival.bytes, arrivedAt: now });
    this.#schedule(queueMicrotask);
  }

  /** The sender, with what it may send in this second. */
  #senderOf(name: string, now: number): KnownSender {
    const sender = this.#senders.get(name) ?? this.#newSender(name, now);
    const seconds = (now - sender.arrivedAt) / 1000;
    sender.arrivedAt = now;
    const own = this.#rules.limitOf(sender.name, "requests_per_second");
    const rate = own ?? (sender.isOperator ? 0 : this.#settings.requestsPerSecond);
    sender.rate = rate;
    sender.requestsLeft = rate === 0 ? Infinity : refilled(sender.requestsLeft, rate, seconds);
    const { maxInFlightPerPrincipal } = this.#settings;
    sender.maxInFlight = this.#rules.limitOf(sender.name, "in_flight") ?? maxInFlightPerPrincipal;
    sender.refusalsLeft = refilled(sender.refusalsLeft, REFUSALS_PER_SECOND, seconds);
    return sender;
  }

  #newSender(name: string, now: number): KnownSender {
    if (this.#senders.size >= this.#sweepAt) this.#forgetIdle(now);
    const key = this.#senders.size < MAX_SENDERS ? name : "";
    const shared = this.#senders.get(key);
    if (shared !== undefined) return shared;
    const sender = new KnownSender(key, this.#places++);
    this.#senders.set(key, sender);
    return sender;
  }

  #forgetIdle(now: number): void {
    for (const [name, sender] of this.#senders) {
      if (sender.isIdle && now - sender.arrivedAt >= 1_000) this.#senders.delete(name);
    }
    this.#sweepAt = Math.max(MANY_SENDERS, 2 * this.#senders.size);
  }

  /** Why the request is refused; `null` if it is not. */
  #problem(sender: KnownSender, bytes: number): Problem | null {
    if (sender.requestsLeft < 1) return "too_fast";
    sender.requestsLeft--;
    const { length } = sender.waiting;
    // A large request may wait alone.
    const isLarge = length > 0 && sender.bytes + bytes > MAX_WAITING_BYTES_OF_SENDER;
    if (length >= this.#settings.maxQueuedPerPrincipal || isLarge) return "too_many";
    const { count, bytes: waiting } = this.#order;
    return count >= MAX_WAITING || waiting + bytes > MAX_WAITING_BYTES ? "full" : null;
  }

  /** Only a refusal that is answered costs the time of making an error. */
  #refuse(sender: KnownSender, arrival: Arrival, problem: Problem): void {
    if (sender.refusalsLeft < 1) {
      arrival.drop();
      return;
    }
    sender.refusalsLeft--;
    arrival.refuse(new CoordinatorError("overloaded", this.#describe(sender, problem)));
  }

  #describe(sender: KnownSender, problem: Problem): string {
    const { maxQueuedPerPrincipal } = this.#settings;
    switch (problem) {
      case "too_fast":
        return `${shown(sender)} sends more than ${sender.rate} requests a second (limits.requests_per_second): slow down`;
      case "too_many":
        return (
          `${shown(sender)} has ${sender.waiting.length} requests waiting at this worker ` +
          `(limits.queued_per_principal: ${maxQueuedPerPrincipal}): have fewer requests under way`
        );
      case "full":
        return "this worker has too many requests waiting: ask again in a moment";
      case "late":
        return "this worker is busy: ask again in a moment";
    }
  }

  #schedule(when: (run: () => void) => void): void {
    if (this.#isScheduled || this.#order.first() === undefined) return;
    this.#isScheduled = true;
    when(() => {
      this.#isScheduled = false;
      this.#serveSome();
    });
  }

  /** Handles requests for some milliseconds. */
  #serveSome(): void {
    let now = this.#clock.steady();
    const until = now + SLICE_MS;
    while (this.#inFlight < this.#settings.maxInFlight) {
      const sender = this.#order.first();
      if (sender === undefined) break;
      if (now >= until) {
        this.#schedule(setImmediate);
        return;
      }
      this.#serve(sender, now);
      const end = this.#clock.steady();
      this.#order.charge(sender, end - now + REST_MS);
      now = end;
    }
    if (this.#order.count > 0) this.#refuseLateSoon();
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
    const place = {
      park: () => {
        this.#count(sender, -1);
      },
      resume: () => {
        this.#count(sender, 1);
      },
    };
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

  #count(sender: KnownSender, difference: 1 | -1): void {
    sender.inFlight += difference;
    this.#inFlight += difference;
    if (difference > 0) return;
    this.#order.consider(sender);
    this.#schedule(queueMicrotask);
  }
}

function isLate({ arrivedAt }: Queued, now: number): boolean {
  return now - arrivedAt > MAX_WAIT_MS;
}

/** What a token bucket of one second has after so many seconds. */
function refilled(left: number, perSecond: number, seconds: number): number {
  return Math.min(perSecond, left + seconds * perSecond);
}

/** The name of a connection means nothing to its client. */
function shown({ name, isOperator }: KnownSender): string {
  return isOperator || name.startsWith(`${AGENT_ROOT}.`) ? name : "your connection";
}
