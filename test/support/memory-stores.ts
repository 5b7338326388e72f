/** Tasks and leases in memory, with the compare-and-set of the real stores, and workers that use them. */
import assert from "node:assert/strict";
import { CompactTask } from "../../src/protocol/compact-task.ts";
import { CoordinatorError } from "../../src/protocol/errors.ts";
import { type LeaseName, leaseKeyOf } from "../../src/protocol/lease-key.ts";
import { EncodedRecord } from "../../src/protocol/task-record.ts";
import { LeaseWrites } from "../../src/service/lease-writes.ts";
import { Leases, nameOf } from "../../src/service/leases.ts";
import type {
  EndOfLease,
  Fact,
  Lease,
  LeaseEntry,
  LeaseStore,
  PreparedTask,
  TaskEntry,
  TaskStore,
  WriteOutcome,
} from "../../src/service/ports.ts";
import type { ServiceSettings } from "../../src/service/service-settings.ts";
import { TaskIndex } from "../../src/service/task-index.ts";
import { TaskWriter } from "../../src/service/task-writer.ts";
import type { Task } from "../../src/task/task.ts";
import { claimedTask, NOW } from "../task/sample-task.ts";

type StoredLease = Exclude<LeaseEntry, { readonly kind: "other" }>;
type StoredTask = Extract<TaskEntry, { readonly task: Task }>;

const CONFLICT = { kind: "conflict" } as const;
const SETTINGS: Partial<ServiceSettings> = {
  defaultTtlSeconds: 300,
  leaseGraceMs: 3_000,
  outageGraceMs: 10_000,
  disconnectGraceMs: 500,
};

/** The first claim of the task `a`, by `s1`. */
export const CLAIM = claimedTask({
  ...{ taskId: "a", claimedBy: "s1", ttlSeconds: 60, fencingToken: 7 },
});

export class MemoryLeases implements LeaseStore {
  readonly entries = new Map<string, StoredLease>();
  writes = 0;
  loads = 0;
  #revision = 0;

  load(name: LeaseName): Promise<StoredLease | null> {
    this.loads++;
    return Promise.resolve(this.entries.get(leaseKeyOf(name)) ?? null);
  }

  write(lease: Lease, expectedRevision: number): Promise<WriteOutcome> {
    this.writes++;
    if (this.#revisionOf(lease) !== expectedRevision) return Promise.resolve(CONFLICT);
    return Promise.resolve({ kind: "written", revision: this.put(lease) });
  }

  end(
    name: LeaseName,
    expectedRevision: number,
    how: Exclude<EndOfLease, "expired">,
  ): Promise<WriteOutcome> {
    if (this.#revisionOf(name) !== expectedRevision) return Promise.resolve(CONFLICT);
    return Promise.resolve({ kind: "written", revision: this.putEnd(name, how) });
  }

  watch(): Promise<never> {
    return Promise.reject(new Error("a test delivers the entries itself"));
  }

  put(lease: Lease): number {
    const revision = ++this.#revision;
    this.entries.set(leaseKeyOf(lease), { kind: "live", revision, lease, writtenAt: NOW });
    return revision;
  }

  putEnd({ taskId, attempt, epoch }: LeaseName, how: EndOfLease = "expired"): number {
    const name = { taskId, attempt, epoch };
    const revision = ++this.#revision;
    this.entries.set(leaseKeyOf(name), { kind: "ended", name, revision, how, writtenAt: NOW });
    return revision;
  }

  /** The live lease with this key. */
  live(key: string): Lease {
    const entry = this.entries.get(key);
    assert.ok(entry?.kind === "live", `${key} is not live`);
    return entry.lease;
  }

  #revisionOf(name: LeaseName): number {
    return this.entries.get(leaseKeyOf(name))?.revision ?? 0;
  }
}

type UsedOfTasks = "load" | "prepare" | "write" | "newWriteId";

export class MemoryTasks implements Pick<TaskStore, UsedOfTasks> {
  readonly entries = new Map<string, StoredTask>();
  #revision = 0;

  load(taskId: string): Promise<StoredTask | null> {
    return Promise.resolve(this.entries.get(taskId) ?? null);
  }

  prepare(task: Task): PreparedTask {
    return { task, record: new EncodedRecord(task) };
  }

  write({ task }: PreparedTask, expectedRevision: number): Promise<WriteOutcome> {
    const { revision = 0 } = this.entries.get(task.taskId) ?? {};
    if (revision !== expectedRevision) return Promise.resolve(CONFLICT);
    return Promise.resolve({ kind: "written", revision: this.put(task) });
  }

  newWriteId(): string {
    return "";
  }

  put(task: Task): number {
    const { taskId } = task;
    const revision = ++this.#revision;
    this.entries.set(taskId, { taskId, revision, task, bytes: 0, writeId: null });
    return revision;
  }
}

export class MemoryStores {
  readonly tasks = new MemoryTasks();
  readonly leases = new MemoryLeases();

  /** A worker that has seen all that is there. */
  worker(settings: Partial<ServiceSettings> = {}): MemoryWorker {
    return new MemoryWorker(this, settings);
  }
}

export class MemoryWorker {
  readonly facts: Fact[] = [];
  readonly tasks: TaskIndex;
  readonly writer: TaskWriter;
  readonly leases: Leases;
  readonly writes: LeaseWrites;
  /** What its steady clock shows. */
  time = 0;
  readonly #stores: MemoryStores;

  constructor(stores: MemoryStores, settings: Partial<ServiceSettings>) {
    this.#stores = stores;
    const context = {
      settings: { ...SETTINGS, ...settings } as ServiceSettings,
      clock: { now: () => NOW, steady: () => this.time, random: () => 0 },
      observe: (fact: Fact) => this.facts.push(fact),
    };
    this.tasks = new TaskIndex(context.clock.now);
    this.writer = new TaskWriter(stores.tasks as unknown as TaskStore, this.tasks, context);
    this.leases = new Leases(this.tasks, context);
    this.writes = new LeaseWrites(stores.leases, this.leases, this.writer, context);
    this.restart();
  }

  /** Its watches begin again. */
  restart(): void {
    this.tasks.restarted();
    this.leases.index.restarted();
    this.see();
    this.tasks.current();
    this.leases.index.current();
  }

  /** Delivers what the stores have. */
  see(): void {
    const byRevision = <E extends { readonly revision: number }>(entries: Iterable<E>): E[] =>
      [...entries].sort((a, b) => a.revision - b.revision);
    for (const { task, revision } of byRevision(this.#stores.tasks.entries.values())) {
      this.tasks.entry(CompactTask.of(task, revision));
    }
    for (const entry of byRevision(this.#stores.leases.entries.values())) {
      this.leases.index.entry(entry);
    }
  }
}

/** The stores with the claim, and without its lease. */
export function withClaim(): MemoryStores {
  const stores = new MemoryStores();
  stores.tasks.put(CLAIM);
  return stores;
}

/** The lease of a claim, unconfirmed. */
export function leaseOf(task: Task, more: Partial<Lease> = {}): Lease {
  const { claimedBy, fencingToken, ttlSeconds } = task;
  const holder = { sessionId: claimedBy ?? "", fencingToken, ttlSeconds: ttlSeconds ?? 0 };
  const unused = { confirmed: false, progress: null, connection: null };
  return { ...nameOf(task), ...holder, ...unused, ...more };
}

/** The stores with the claim and its lease, which reports progress. */
export function withLease(more: Partial<Lease> = {}): MemoryStores {
  const stores = withClaim();
  stores.leases.put(leaseOf(CLAIM, { progress: "half", ...more }));
  return stores;
}

/** The error code of the refusal. */
export async function refusal(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => assert.fail("it was not refused"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof CoordinatorError, String(error));
  return error.code;
}
