/** What this worker knows of the leases: the live ones, and which of them it saw end. */
import { connectionKey } from "./connection-key.ts";
import type { Lease, LeaseEntry, Watch } from "./ports.ts";
import { WatchPosition } from "../watched/watch-position.ts";
import { SetMap } from "./set-map.ts";

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
  /** Its connection is lost; else its time is over. */
  readonly isDisconnected: boolean;
}

export class LeaseIndex implements Watch<LeaseEntry> {
  readonly position = new WatchPosition();
  readonly #live = new Map<string, KnownLease>();
  readonly #expired = new Map<string, ExpiredLease>();
  /** The tasks whose live leases name a connection, by the key of that. */
  readonly #byConnection = new SetMap();
  readonly #changed: (taskId: string) => void;
  #resync: Set<string> | null = null;

  /** `changed` is called after each change with the task's id. */
  constructor(changed: (taskId: string) => void) {
    this.#changed = changed;
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

  /** The lease that ran out before this worker's eyes, if none has followed. */
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
    if (revision <= this.position.revision) return;
    this.#resync?.add(lease.taskId);
    this.#alive({ lease, revision, writtenAt: now });
  }

  /** Takes in that this worker has just written that the lease's connection is lost. */
  applyDisconnected(lease: Lease, revision: number, now: number): void {
    if (revision <= this.position.revision) return;
    this.#disconnected({ lease, revision, writtenAt: now });
  }

  restarted(): void {
    this.#resync = new Set();
    this.position.restarted();
  }

  /** Of its own writes this worker learns here when the server has them from. */
  isKnown(taskId: string, revision: number, writtenAt: number): boolean {
    const known = this.#live.get(taskId);
    if (this.#resync !== null || known?.revision !== revision) return false;
    this.#live.set(taskId, { ...known, writtenAt });
    this.position.delivered(revision);
    return true;
  }

  entry(entry: LeaseEntry): void {
    if (entry.kind === "live") this.#seen(entry);
    else if (entry.kind === "disconnected") this.#disconnected(entry);
    else this.#ended(entry);
    this.position.delivered(entry.revision);
  }

  current(): void {
    const seen = this.#resync;
    this.#resync = null;
    for (const taskId of seen === null ? [] : [...this.#live.keys()]) {
      // Neither the lease nor a marker is left: nobody can say that it ran out.
      if (seen?.has(taskId) === false) {
        this.#drop(taskId);
        this.#changed(taskId);
      }
    }
    this.position.current();
  }

  #seen(entry: KnownLease): void {
    const { taskId } = entry.lease;
    this.#resync?.add(taskId);
    const known = this.#live.get(taskId);
    const isNews = known === undefined || entry.revision >= known.revision;
    if (isNews || this.#resync !== null) this.#alive(entry);
  }

  #ended(entry: Extract<LeaseEntry, { kind: "expired" | "removed" }>): void {
    const { taskId, revision } = entry;
    const known = this.#live.get(taskId);
    if (known === undefined || known.revision > revision) return;
    this.#drop(taskId);
    if (entry.kind === "expired") {
      const { lease, writtenAt } = known;
      const lateMs = entry.writtenAt - (writtenAt + lease.ttlSeconds * 1000);
      this.#expired.set(taskId, { lease, revision, writtenAt, lateMs, isDisconnected: false });
    }
    this.#changed(taskId);
  }

  /** It need not have been seen alive: what is written over it says that it has ended. */
  #disconnected({ lease, revision, writtenAt }: KnownLease): void {
    const { taskId } = lease;
    if ((this.#live.get(taskId)?.revision ?? 0) > revision) return;
    if ((this.#expired.get(taskId)?.revision ?? 0) >= revision) return;
    this.#drop(taskId);
    const ended = { lease, revision, writtenAt, lateMs: 0, isDisconnected: true };
    this.#expired.set(taskId, ended);
    this.#changed(taskId);
  }

  #alive(known: KnownLease): void {
    const { taskId, connection } = known.lease;
    this.#drop(taskId);
    this.#live.set(taskId, known);
    if (connection !== null) this.#byConnection.add(connectionKey(connection), taskId);
    this.#expired.delete(taskId);
    this.#changed(taskId);
  }

  #drop(taskId: string): void {
    const connection = this.#live.get(taskId)?.lease.connection ?? null;
    if (connection !== null) this.#byConnection.delete(connectionKey(connection), taskId);
    this.#live.delete(taskId);
  }
}
