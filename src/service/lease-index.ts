/** The leases as this worker knows them: the live ones, and those that it saw end. */
import { WatchedMap } from "../watched/watched-map.ts";
import { connectionKey } from "./connection-key.ts";
import type { Lease, LeaseEntry, Watch } from "./ports.ts";

export interface KnownLease {
  readonly lease: Lease;
  readonly revision: number;
  /** When it was granted or last renewed, epoch milliseconds. */
  readonly writtenAt: number;
}

/** A lease that this worker saw alive and then saw run out, or one that has ended by its connection. */
export interface ExpiredLease {
  readonly lease: Lease;
  /** Of the marker that the server left, or of what the worker wrote that ended it. */
  readonly revision: number;
  readonly writtenAt: number;
  /** How much later than due the server ended it, in milliseconds: both times are the server's own. */
  readonly lateMs: number;
  /** `true`: its connection was lost. `false`: its time was over. */
  readonly isDisconnected: boolean;
}

export class LeaseIndex implements Watch<LeaseEntry> {
  readonly #live = new WatchedMap<KnownLease, "connections">({
    connections: ({ lease: { connection } }) =>
      connection === null ? null : connectionKey(connection),
  });
  readonly position = this.#live.position;
  readonly #expired = new Map<string, ExpiredLease>();
  readonly #byConnection = this.#live.index("connections");
  readonly #changed: (taskId: string) => void;

  /** `changed` is called after each change with the task's id. */
  constructor(changed: (taskId: string) => void) {
    this.#changed = changed;
    this.#live.onChange((taskId, _before, after) => {
      if (after !== null) this.#expired.delete(taskId);
      changed(taskId);
    });
  }

  get isCurrent(): boolean {
    return this.position.isCurrent;
  }

  get size(): number {
    return this.#live.size;
  }

  get(taskId: string): KnownLease | undefined {
    return this.#live.get(taskId);
  }

  /** The lease that this worker saw run out, if none has followed. */
  expired(taskId: string): ExpiredLease | undefined {
    return this.#expired.get(taskId);
  }

  /** The tasks whose live leases name the connection. */
  connectedBy(key: string): ReadonlySet<string> {
    return this.#byConnection.get(key);
  }

  forgetExpired(taskId: string): void {
    this.#expired.delete(taskId);
  }

  /** Takes in a lease that this worker has just written. */
  applyOwn(lease: Lease, revision: number, now: number): void {
    this.#live.apply(lease.taskId, { lease, revision, writtenAt: now });
  }

  /** Takes in that this worker has just written that the lease's connection is lost. */
  applyDisconnected(lease: Lease, revision: number, now: number): void {
    if (revision <= this.position.revision) return;
    this.#disconnected({ lease, revision, writtenAt: now });
  }

  restarted(): void {
    this.#live.restarted();
  }

  /** For our own writes, the watch supplies the server's timestamp. */
  isKnown(taskId: string, revision: number, writtenAt: number): boolean {
    const known = this.#live.get(taskId);
    if (known === undefined || !this.#live.isKnown(taskId, revision)) return false;
    this.#live.amend(taskId, { ...known, writtenAt });
    return true;
  }

  entry(entry: LeaseEntry): void {
    if (entry.kind === "live") {
      const { revision, writtenAt, lease } = entry;
      if (this.isKnown(lease.taskId, revision, writtenAt)) return;
      this.#live.deliver(lease.taskId, revision, entry);
      return;
    }
    if (entry.kind === "disconnected") this.#disconnected(entry);
    else this.#ended(entry);
    this.position.delivered(entry.revision);
  }

  current(): void {
    // Where neither a lease nor a marker is left, nobody can say that the lease ran out.
    this.#live.current();
  }

  #ended(entry: Extract<LeaseEntry, { kind: "expired" | "removed" }>): void {
    const { taskId, revision } = entry;
    const known = this.#live.get(taskId);
    if (known === undefined || known.revision > revision) return;
    if (entry.kind === "expired") {
      const { lease, writtenAt } = known;
      const lateMs = entry.writtenAt - (writtenAt + lease.ttlSeconds * 1000);
      this.#expired.set(taskId, { lease, revision, writtenAt, lateMs, isDisconnected: false });
    }
    this.#live.remove(taskId);
  }

  /** This worker need not have seen the lease alive: what is written over it says that it has ended. */
  #disconnected({ lease, revision, writtenAt }: KnownLease): void {
    const { taskId } = lease;
    const known = this.#live.get(taskId);
    if ((known?.revision ?? 0) > revision) return;
    if ((this.#expired.get(taskId)?.revision ?? 0) >= revision) return;
    const ended = { lease, revision, writtenAt, lateMs: 0, isDisconnected: true };
    this.#expired.set(taskId, ended);
    if (known === undefined) this.#changed(taskId);
    else this.#live.remove(taskId);
  }
}
