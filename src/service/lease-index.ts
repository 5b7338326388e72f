/** What this worker knows of the leases: the live ones, and which of them it saw run out. */
import type { Lease, LeaseEntry, Watch } from "./ports.ts";

export interface KnownLease {
  readonly lease: Lease;
  readonly revision: number;
  /** When it was granted or last renewed, epoch milliseconds. */
  readonly writtenAt: number;
}

export class LeaseIndex implements Watch<LeaseEntry> {
  readonly #live = new Map<string, KnownLease>();
  /** Attempts whose lease this worker saw alive and then saw run out. */
  readonly #expired = new Map<string, number>();
  readonly #changed: (taskId: string) => void;
  #progress = 0;
  #isCurrent = false;
  #resync: Set<string> | null = null;

  /** `changed` is called after each change with the task's id. */
  constructor(changed: (taskId: string) => void) {
    this.#changed = changed;
  }

  get isCurrent(): boolean {
    return this.#isCurrent;
  }

  get size(): number {
    return this.#live.size;
  }

  get(taskId: string): KnownLease | undefined {
    return this.#live.get(taskId);
  }

  /** The attempt whose lease ran out before this worker's eyes; `undefined` if none did. */
  expiredAttempt(taskId: string): number | undefined {
    return this.#expired.get(taskId);
  }

  forgetExpired(taskId: string): void {
    this.#expired.delete(taskId);
  }

  /** Takes in a lease that this worker has just written. */
  applyOwn(lease: Lease, revision: number, now: number): void {
    if (revision <= this.#progress) return;
    this.#resync?.add(lease.taskId);
    this.#alive({ lease, revision, writtenAt: now });
  }

  restarted(): void {
    this.#resync = new Set();
    this.#progress = 0;
    this.#isCurrent = false;
  }

  entry(entry: LeaseEntry): void {
    this.#progress = entry.revision;
    if (entry.kind === "live") {
      this.#resync?.add(entry.lease.taskId);
      const known = this.#live.get(entry.lease.taskId);
      if (known === undefined || entry.revision > known.revision || this.#resync !== null) {
        this.#alive(entry);
      }
      return;
    }
    const seen = this.#live.get(entry.taskId);
    if (seen === undefined || seen.revision > entry.revision) return;
    this.#live.delete(entry.taskId);
    if (entry.kind === "expired") this.#expired.set(entry.taskId, seen.lease.attempt);
    this.#changed(entry.taskId);
  }

  current(): void {
    const seen = this.#resync;
    this.#resync = null;
    this.#isCurrent = true;
    for (const taskId of seen === null ? [] : [...this.#live.keys()]) {
      // Neither the lease nor a marker is left: nobody can say that it ran out.
      if (seen?.has(taskId) === false) {
        this.#live.delete(taskId);
        this.#changed(taskId);
      }
    }
  }

  #alive(known: KnownLease): void {
    const { taskId } = known.lease;
    this.#live.set(taskId, known);
    this.#expired.delete(taskId);
    this.#changed(taskId);
  }
}
