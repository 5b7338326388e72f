/**
 * Requests that wait for their turn: a queue for each sender, and the order of the senders.
 *
 * Next is the sender that has used the least time. So a sender that sends a thousand requests, or expensive
 * ones, delays its own requests and not those of others. A sender that was idle begins at the time of the one
 * whose turn it was last: nobody can save up time.
 */
import { SortedList } from "../task/sorted-list.ts";

export interface QueuedRequest {
  /** Of the message, which stays in memory while it waits. */
  readonly bytes: number;
}

/** What is known of a sender while it has requests here, and for a short time after. */
export class SenderQueue<T extends QueuedRequest> {
  readonly name: string;
  readonly #place: number;
  /** The requests that wait, oldest first. */
  readonly waiting: T[] = [];
  bytes = 0;
  /** Its requests under way, without those that are parked. */
  inFlight = 0;
  /** Its requests under way, with those that are parked. */
  admitted = 0;
  usedMs = 0;
  /** Whether it is in the order: it has a request whose turn may come. */
  isReady = false;
  /** With so many requests under way it has to wait. */
  maxInFlight = Infinity;

  constructor(name: string, place: number) {
    this.name = name;
    this.#place = place;
  }

  get isIdle(): boolean {
    return this.waiting.length === 0 && this.admitted === 0;
  }

  compareTo(other: SenderQueue<T>): number {
    return this.usedMs - other.usedMs || this.#place - other.#place;
  }
}

export class FairOrder<S extends SenderQueue<QueuedRequest>> {
  /** Exactly the senders that have a request whose turn may come. */
  readonly #ready = new SortedList<S>((a, b) => a.compareTo(b));
  /** The time of the sender whose turn it was last. */
  #usedMs = 0;
  #count = 0;
  #bytes = 0;

  /** The requests that wait. */
  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(sender: S, request: S["waiting"][number]): void {
    if (sender.waiting.length === 0) sender.usedMs = Math.max(sender.usedMs, this.#usedMs);
    sender.waiting.push(request);
    sender.bytes += request.bytes;
    this.#count++;
    this.#bytes += request.bytes;
    if (sender.waiting.length === 1) this.consider(sender);
  }

  /** The sender whose turn it is. */
  first(): S | undefined {
    return this.#ready.first();
  }

  /** Takes the first request of the sender. */
  take(sender: S): S["waiting"][number] | undefined {
    this.#remove(sender);
    const request = sender.waiting.shift();
    if (request === undefined) return undefined;
    sender.bytes -= request.bytes;
    this.#count--;
    this.#bytes -= request.bytes;
    this.#usedMs = Math.max(this.#usedMs, sender.usedMs);
    return request;
  }

  charge(sender: S, ms: number): void {
    this.#remove(sender);
    sender.usedMs += ms;
    this.consider(sender);
  }

  /** To be called when the sender may have its turn again. */
  consider(sender: S): void {
    if (sender.isReady || sender.waiting.length === 0) return;
    if (sender.inFlight >= sender.maxInFlight) return;
    sender.isReady = true;
    this.#ready.set(sender);
  }

  #remove(sender: S): void {
    if (!sender.isReady) return;
    sender.isReady = false;
    this.#ready.delete(sender);
  }
}
