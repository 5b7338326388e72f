/** What this worker knows of the leases: the live ones, and which of them it saw run out. */
import type { Lease, LeaseEntry, Watch } from "./ports.ts";
import { Progress } from "./progress.ts";

export interface KnownLease {
  readonly lease: Lease;
  readonly revision: number;
  /** When it was granted or last renewed, epoch milliseconds. */
  readonly writtenAt: number;
}

/** A lease that this worker saw alive and then saw run out. */
export interface ExpiredLease {
  readonly lease: Lease;
  /** Of the marker that the server left. */
  readonly revision: number;
  readonly writtenAt: number;
  /** How much later than due the server ended it, in milliseconds: both times are the server's own. */
  readonly lateMs: number;
}

export class LeaseIndex implements Watch<LeaseEntry> {
  readonly progress = new Progress();
  readonly #live = new Map<string, KnownLease>();
  readonly #expired = new Map<string, ExpiredLease>();
  readonly #changed: (taskId: string) => void;
  #resync: Set<string> | null = null;

  /** `changed` is called after each change with the task's id. */
  constructor(changed: (taskId: string) => void) {
    this.#changed = changed;
  }

  get isCurrent(): boolean {
    return this.progress.isCurrent;
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

  forgetExpired(taskId: string): void {
    this.#expired.delete(taskId);
  }

  /** Takes in a lease that this worker has just written. */
  applyOwn(lease: Lease, revision: number, now: number): void {
    if (revision <= this.progress.revision) return;
    this.#resync?.add(lease.taskId);
    this.#alive({ lease, revision, writtenAt: now });
  }

  restarted(): void {
    this.#resync = new Set();
    this.progress.restarted();
  }

  entry(entry: LeaseEntry): void {
    if (entry.kind === "live") this.#seen(entry);
    else this.#ended(entry);
    this.progress.delivered(entry.revision);
  }

  current(): void {
    const seen = this.#resync;
    this.#resync = null;
    for (const taskId of seen === null ? [] : [...this.#live.keys()]) {
      // Neither the lease nor a marker is left: nobody can say that it ran out.
      if (seen?.has(taskId) === false) {
        this.#live.delete(taskId);
        this.#changed(taskId);
      }
    }
    this.progress.current();
  }

  #seen(entry: KnownLease): void {
    const { taskId } = entry.lease;
    this.#resync?.add(taskId);
    const known = this.#live.get(taskId);
    // Of its own writes this worker learns here when the server has them from.
    const isNews = known === undefined || entry.revision >= known.revision;
    if (isNews || this.#resync !== null) this.#alive(entry);
  }

  #ended(entry: Exclude<LeaseEntry, { kind: "live" }>): void {
    const { taskId, revision } = entry;
    const known = this.#live.get(taskId);
    if (known === undefined || known.revision > revision) return;
    this.#live.delete(taskId);
    if (entry.kind === "expired") {
      const { lease, writtenAt } = known;
      const lateMs = entry.writtenAt - (writtenAt + lease.ttlSeconds * 1000);
      this.#expired.set(taskId, { lease, revision, writtenAt, lateMs });
    }
    this.#changed(taskId);
  }

  #alive(known: KnownLease): void {
    const { taskId } = known.lease;
    this.#live.set(taskId, known);
    this.#expired.delete(taskId);
    this.#changed(taskId);
  }
}
