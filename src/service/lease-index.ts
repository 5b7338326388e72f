/** The leases as this worker knows them: the live ones, and how those ended that it may still have to act on. */
import { type LeaseName, leaseKeyOf } from "../protocol/lease-key.ts";
import { WatchedMap } from "../watched/watched-map.ts";
import { connectionKey } from "./connection-key.ts";
import type { EndedEntry, Lease, LeaseEntry, Watch } from "./ports.ts";

export interface KnownLease {
  readonly lease: Lease;
  readonly revision: number;
  /** When it was granted or last renewed, epoch milliseconds. */
  readonly writtenAt: number;
}

export interface EndedLease extends EndedEntry {
  /** As this worker last saw it alive; `null`: this worker has only seen its end. */
  readonly known: KnownLease | null;
  /** When this worker learned of the end, by its steady clock. */
  readonly since: number;
  /** What the worker's `judge` said about the end when it learned of it. */
  readonly isSpared: boolean;
}

/** Nobody acts on an end that is older than this: the server has removed its marker. */
const FORGET_AFTER_MS = 2 * 60 * 1000;

export class LeaseIndex implements Watch<LeaseEntry> {
  readonly #live = new WatchedMap<KnownLease, "tasks" | "connections">({
    tasks: ({ lease }) => lease.taskId,
    connections: ({ lease: { connection } }) =>
      connection === null ? null : connectionKey(connection),
  });
  readonly position = this.#live.position;
  /** The keys of the live leases of a task. */
  readonly ofTask = this.#live.index("tasks");
  /** The keys of the live leases that name a connection. */
  readonly ofConnection = this.#live.index("connections");
  /** By key, the oldest first. */
  readonly #ended = new Map<string, EndedLease>();
  readonly #listeners: ((taskId: string) => void)[] = [];
  readonly #steady: () => number;
  readonly #isOver: (name: LeaseName) => boolean;
  readonly #judge: (end: EndedEntry, known: KnownLease | null) => boolean;

  /**
   * @param isOver whether the claim of the lease is known to be over, so that its end means nothing
   * @param judge called for each end of another lease: whether its holder must be spared for a while
   */
  constructor(
    steady: () => number,
    isOver: (name: LeaseName) => boolean,
    judge: (end: EndedEntry, known: KnownLease | null) => boolean,
  ) {
    this.#steady = steady;
    this.#isOver = isOver;
    this.#judge = judge;
    this.#live.onChange((_key, before, after) => {
      const lease = (after ?? before)?.lease;
      if (lease !== undefined) this.#changed(lease.taskId);
    });
  }

  get isCurrent(): boolean {
    return this.position.isCurrent;
  }

  get size(): number {
    return this.#live.size;
  }

  /** How many leases this worker saw end in an outage that may still be begun again. */
  get spared(): number {
    return [...this.#ended.values()].filter(({ isSpared, known }) => isSpared && known !== null)
      .length;
  }

  get(key: string): KnownLease | undefined {
    return this.#live.get(key);
  }

  ended(key: string): EndedLease | undefined {
    return this.#ended.get(key);
  }

  /** The claim of the lease is over, or has been given the next one. */
  forgetEnded(key: string): void {
    this.#ended.delete(key);
  }

  /** Forgets the ends of all claims that are over. */
  forgetOver(): void {
    for (const [key, { name }] of this.#ended) if (this.#isOver(name)) this.#ended.delete(key);
  }

  /** The tasks of all leases, live or ended. */
  *taskIds(): Iterable<string> {
    for (const { lease } of this.#live.values()) yield lease.taskId;
    for (const { name } of this.#ended.values()) yield name.taskId;
  }

  /** Calls the listener after each change with the task's id. It must not throw. */
  onChange(listener: (taskId: string) => void): void {
    this.#listeners.push(listener);
  }

  /** Takes in a lease that this worker has just written, or read from the leader. */
  apply(lease: Lease, revision: number, writtenAt: number): void {
    const key = leaseKeyOf(lease);
    this.#begun(key, revision);
    this.#live.apply(key, { lease, revision, writtenAt });
  }

  /** Takes in the end of a lease that this worker has just written, or read from the leader. */
  applyEnd(end: EndedEntry): void {
    const key = leaseKeyOf(end.name);
    this.#note(end);
    if ((this.#live.get(key)?.revision ?? Infinity) < end.revision) this.#live.remove(key);
  }

  restarted(): void {
    this.#live.restarted();
  }

  /** For our own writes, the watch supplies the server's timestamp. */
  isKnown(key: string, revision: number, writtenAt: number): boolean {
    const known = this.#live.get(key);
    if (known === undefined || !this.#live.isKnown(key, revision)) return false;
    this.#live.amend(key, { ...known, writtenAt });
    return true;
  }

  entry(entry: LeaseEntry): void {
    if (entry.kind === "live") {
      const { revision, writtenAt, lease } = entry;
      const key = leaseKeyOf(lease);
      this.#begun(key, revision);
      this.#live.deliver(key, revision, { lease, revision, writtenAt });
    } else if (entry.kind === "ended") {
      this.#note(entry);
      this.#live.deliver(leaseKeyOf(entry.name), entry.revision, null);
    } else this.position.delivered(entry.revision);
  }

  current(): void {
    // Where neither a lease nor a marker is left, nobody can say that the lease has ended.
    this.#live.current();
  }

  /** The key is in use again: the server has removed the marker that an earlier task of this id had left. */
  #begun(key: string, revision: number): void {
    if ((this.#ended.get(key)?.revision ?? Infinity) < revision) this.#ended.delete(key);
  }

  #note(end: EndedEntry): void {
    const key = leaseKeyOf(end.name);
    const known = this.#live.get(key) ?? null;
    const since = this.#steady();
    for (const [old, ended] of this.#ended) {
      if (since - ended.since < FORGET_AFTER_MS) break;
      this.#ended.delete(old);
    }
    if (this.#isOver(end.name) || this.#ended.has(key) || (known?.revision ?? 0) > end.revision)
      return;
    this.#ended.set(key, { ...end, known, since, isSpared: this.#judge(end, known) });
    if (known === null) this.#changed(end.name.taskId);
  }

  #changed(taskId: string): void {
    for (const listener of this.#listeners) listener(taskId);
  }
}
