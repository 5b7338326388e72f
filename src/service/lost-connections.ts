/**
 * Connections that were lost, and when the leases that name them end: a grace after this worker learned of both.
 *
 * A lease may be seen only after its connection was lost, as that of a claim that was under way; so lost
 * connections are remembered for a while. An outage makes the worker forget them: sessions that lost their
 * connection with everybody else must be able to come back, and their leases end by their time.
 */
import { connectionKey } from "./connection-key.ts";
import type { Clock, ConnectionId } from "./ports.ts";

/** A request that is answered later than this has been given up. */
const REMEMBERED_MS = 10_000;

interface Loss {
  readonly forgetAt: number;
  /** When the leases end that name the connection; `null`: none has been seen yet. */
  endsAt: number | null;
}

export class LostConnections {
  readonly #graceMs: number;
  readonly #clock: Clock;
  /** In the order in which they were lost. */
  readonly #lost = new Map<string, Loss>();

  constructor(graceMs: number, clock: Clock) {
    this.#graceMs = graceMs;
    this.#clock = clock;
  }

  note(connection: ConnectionId): void {
    const now = this.#clock.steady();
    for (const [key, { forgetAt }] of this.#lost) {
      if (forgetAt > now) break;
      this.#lost.delete(key);
    }
    const key = connectionKey(connection);
    this.#lost.delete(key);
    this.#lost.set(key, { forgetAt: now + this.#graceMs + REMEMBERED_MS, endsAt: null });
  }

  has(connection: ConnectionId): boolean {
    return this.#find(connection) !== undefined;
  }

  /** When the connection ends a lease that names it, by the steady clock; `null`: it is not known to be lost. */
  endOf(connection: ConnectionId | null): number | null {
    // Most workers know of no lost connection most of the time.
    if (connection === null || this.#lost.size === 0) return null;
    const loss = this.#find(connection);
    if (loss === undefined) return null;
    loss.endsAt ??= this.#clock.steady() + this.#graceMs;
    return loss.endsAt;
  }

  forgetAll(): void {
    this.#lost.clear();
  }

  #find(connection: ConnectionId): Loss | undefined {
    const loss = this.#lost.get(connectionKey(connection));
    return loss !== undefined && loss.forgetAt > this.#clock.steady() ? loss : undefined;
  }
}
