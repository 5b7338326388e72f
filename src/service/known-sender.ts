/** What a worker knows of a sender: its requests that wait, and what it may still send in this second. */
import { CoordinatorError } from "../protocol/errors.ts";
import { isOfRole } from "../protocol/subjects.ts";
import { type QueuedRequest, SenderQueue } from "./fair-order.ts";
import type { Arrival } from "./ports.ts";
import type { LimitRules } from "./principal-rules.ts";
import type { ServiceSettings } from "./service-settings.ts";

/** So many refusals of one sender are answered in a second. Its other requests are dropped. */
const REFUSALS_PER_SECOND = 500;
/** So long the requests of a sender are dropped that goes on after all these refusals. */
const SHUT_MS = 20;
const MAX_WAITING_BYTES = 16 * 1024 * 1024;

export interface Queued extends QueuedRequest {
  readonly arrival: Arrival;
  readonly arrivedAt: number;
}

/** Why a request is refused: by its sender, because all senders have too many requests waiting, or after its wait. */
export type Problem = "too_fast" | "too_large" | "too_many" | "full" | "late";

export class KnownSender extends SenderQueue<Queued> {
  readonly isOperator: boolean;
  readonly #settings: ServiceSettings;
  /** Requests and bytes a second; 0: no limit. */
  #rate = 0;
  #bytesRate = 0;
  #requestsLeft = Infinity;
  #bytesLeft = Infinity;
  #refusalsLeft = REFUSALS_PER_SECOND;
  #arrivedAt = -Infinity;
  #shutUntil = 0;

  constructor(name: string, place: number, settings: ServiceSettings) {
    super(name, place);
    this.isOperator = isOfRole(name, "operator");
    this.#settings = settings;
  }

  /** A request of the sender has arrived. Time has given it room for others. */
  arrived(now: number, rules: LimitRules): void {
    const { requestsPerSecond, requestBytesPerSecond, maxInFlightPerPrincipal } = this.#settings;
    const seconds = (now - this.#arrivedAt) / 1000;
    this.#arrivedAt = now;
    const { name, isOperator } = this;
    const own = rules.limitsOf(name);
    this.#rate = own?.requests_per_second ?? (isOperator ? 0 : requestsPerSecond);
    this.#bytesRate = isOperator ? 0 : requestBytesPerSecond;
    this.maxInFlight = own?.in_flight ?? maxInFlightPerPrincipal;
    this.#requestsLeft = refilled(this.#requestsLeft, this.#rate, seconds);
    this.#bytesLeft = refilled(this.#bytesLeft, this.#bytesRate, seconds);
    this.#refusalsLeft = refilled(this.#refusalsLeft, REFUSALS_PER_SECOND, seconds);
  }

  /** Why the sender may not send the request; `null` if it may. */
  problem(bytes: number): Problem | null {
    if (this.#requestsLeft < 1) return "too_fast";
    // A request that is larger than what may be sent in a second is taken if nothing else was sent in it.
    if (this.#bytesLeft < Math.min(bytes, this.#bytesRate)) return "too_large";
    this.#requestsLeft--;
    this.#bytesLeft -= bytes;
    const { length } = this.waiting;
    // A large request may wait alone.
    const isLarge = length > 0 && this.bytes + bytes > MAX_WAITING_BYTES;
    return length >= this.#settings.maxQueuedPerPrincipal || isLarge ? "too_many" : null;
  }

  /** The error for an answer; `null`: the sender has had so many that it gets none. */
  refusal(problem: Problem, now: number): CoordinatorError | null {
    if (this.#refusalsLeft < 1) {
      this.#shutUntil = now + SHUT_MS;
      return null;
    }
    this.#refusalsLeft--;
    // Making an error takes more time than all the rest.
    return new CoordinatorError("overloaded", this.#describe(problem));
  }

  get wasShut(): boolean {
    return this.#shutUntil > 0;
  }

  isShut(now: number): boolean {
    return now < this.#shutUntil;
  }

  hasPaused(now: number, ms: number): boolean {
    return this.isIdle && now - this.#arrivedAt >= ms;
  }

  /** The name of a connection means nothing to its client. */
  get #shown(): string {
    const isPrincipal = this.isOperator || isOfRole(this.name, "agent");
    return isPrincipal ? this.name : "your connection";
  }

  #describe(problem: Problem): string {
    const { maxQueuedPerPrincipal: most } = this.#settings;
    switch (problem) {
      case "too_fast":
        return `${this.#shown} sends more than ${this.#rate} requests a second (limits.requests_per_second): slow down`;
      case "too_large":
        return `${this.#shown} sends requests of more than ${this.#bytesRate} bytes a second (limits.request_bytes_per_second): slow down`;
      case "too_many":
        return (
          `${this.#shown} has ${this.waiting.length} requests waiting at this worker ` +
          `(limits.queued_per_principal: ${most}): have fewer requests under way`
        );
      case "full":
        return "this worker has too many requests waiting: ask again in a moment";
      case "late":
        return "this worker is busy: ask again in a moment";
    }
  }
}

/** What a token bucket of one second has after so many seconds. */
function refilled(left: number, perSecond: number, seconds: number): number {
  return perSecond === 0 ? Infinity : Math.min(perSecond, left + seconds * perSecond);
}
