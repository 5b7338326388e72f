/**
 * When leases end whose session has lost its connection: a grace after it was reported to the worker, unless
 * they name another connection by then.
 *
 * What a worker hears in an outage, and what becomes due in one, is left to the end of the lease's time:
 * sessions that lost their connection with everybody else must be able to come back. So is what nobody
 * hears. A lease may be seen only after its connection was lost, as that of a claim that was under way;
 * so lost connections are remembered for a while. Such a lease has the whole grace from then on.
 */
import { connectionKey } from "./connection-key.ts";
import type { LeaseIndex } from "./lease-index.ts";
import type { Clock, ConnectionId } from "./ports.ts";

/** All workers learn about a lost connection at the same moment; this spreads them, so that mostly one writes. */
const SPREAD_MS = 50;
const AGAIN_MS = 1_000;
/** A request that is answered later than this has been given up. */
const REMEMBERED_MS = 10_000;

export class Disconnects {
  readonly #leases: LeaseIndex;
  readonly #graceMs: number;
  readonly #clock: Clock;
  readonly #isOutage: () => boolean;
  readonly #end: (taskId: string, key: string) => void;
  /** Lost connections, in the order in which they were lost, and until when they are remembered. */
  readonly #lost = new Map<string, number>();
  /** Those of them that leases name, and when these are to end. */
  readonly #due = new Map<string, number>();

  /** `end` is called for each lease that is due and names the lost connection, and again until it does not. */
  constructor(
    leases: LeaseIndex,
    graceMs: number,
    clock: Clock,
    isOutage: () => boolean,
    end: (taskId: string, key: string) => void,
  ) {
    this.#leases = leases;
    this.#graceMs = graceMs;
    this.#clock = clock;
    this.#isOutage = isOutage;
    this.#end = end;
  }

  /** The connection is lost. */
  note(connection: ConnectionId): void {
    if (this.#isOutage()) return;
    const key = connectionKey(connection);
    this.#lost.delete(key);
    this.#lost.set(key, this.#clock.now() + this.#graceMs + REMEMBERED_MS);
    if (this.#leases.connectedBy(key).size > 0) this.#await(key);
  }

  isLost(connection: ConnectionId): boolean {
    return this.#lost.has(connectionKey(connection));
  }

  /** To be called when a lease has changed. */
  look(taskId: string): void {
    // Most workers know of no lost connection most of the time.
    if (this.#lost.size === 0) return;
    const connection = this.#leases.get(taskId)?.lease.connection ?? null;
    if (connection === null) return;
    const key = connectionKey(connection);
    if (this.#lost.has(key) && !this.#due.has(key)) this.#await(key);
  }

  /** To be called a few times a second. */
  check(): void {
    const now = this.#clock.now();
    for (const [key, until] of this.#lost) {
      if (until > now) break;
      this.#lost.delete(key);
      this.#due.delete(key);
    }
    for (const [key, at] of this.#due) if (at <= now) this.#try(key);
  }

  #await(key: string): void {
    const wait = this.#graceMs + this.#clock.random() * SPREAD_MS;
    this.#due.set(key, this.#clock.now() + wait);
    // A worker that is being stopped need not wait for this.
    setTimeout(() => {
      this.#try(key);
    }, wait).unref();
  }

  #try(key: string): void {
    if (!this.#due.has(key)) return;
    const named = [...this.#leases.connectedBy(key)];
    if (named.length === 0) {
      this.#due.delete(key);
    } else if (this.#isOutage()) {
      this.#due.delete(key);
      this.#lost.delete(key);
    } else {
      this.#due.set(key, this.#clock.now() + AGAIN_MS);
      for (const taskId of named) this.#end(taskId, key);
    }
  }
}
