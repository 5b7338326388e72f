/** A store of leases in memory, for tests of the code that writes leases. */
import assert from "node:assert/strict";
import { CoordinatorError } from "../../src/protocol/errors.ts";
import { LeaseIndex } from "../../src/service/lease-index.ts";
import { LeaseWrites } from "../../src/service/lease-writes.ts";
import type { Lease, LeaseEntry, LeaseStore, WriteOutcome } from "../../src/service/ports.ts";

export const NOW = 5_000;
const CLOCK = { now: () => NOW, random: () => 0 };

/** A store of one bucket in memory, with the compare-and-set of the real one. */
export class MemoryLeases implements LeaseStore {
  readonly entries = new Map<string, LeaseEntry>();
  writes = 0;
  loads = 0;
  #revision = 0;

  load(taskId: string): Promise<LeaseEntry | null> {
    this.loads++;
    return Promise.resolve(this.entries.get(taskId) ?? null);
  }

  write(lease: Lease, expectedRevision: number): Promise<WriteOutcome> {
    this.writes++;
    if ((this.entries.get(lease.taskId)?.revision ?? 0) !== expectedRevision) {
      return Promise.resolve({ kind: "conflict" });
    }
    return Promise.resolve({ kind: "written", revision: this.put(lease) });
  }

  disconnect(lease: Lease, expectedRevision: number): Promise<WriteOutcome> {
    if ((this.entries.get(lease.taskId)?.revision ?? 0) !== expectedRevision) {
      return Promise.resolve({ kind: "conflict" });
    }
    const revision = ++this.#revision;
    this.entries.set(lease.taskId, { kind: "disconnected", revision, lease, writtenAt: NOW });
    return Promise.resolve({ kind: "written", revision });
  }

  purge(): Promise<WriteOutcome> {
    return Promise.reject(new Error("not needed here"));
  }

  watch(): Promise<never> {
    return Promise.reject(new Error("not needed here"));
  }

  put(lease: Lease): number {
    const revision = ++this.#revision;
    this.entries.set(lease.taskId, { kind: "live", revision, lease, writtenAt: NOW });
    return revision;
  }

  end(taskId: string, kind: "expired" | "removed"): void {
    this.entries.set(taskId, { kind, taskId, revision: ++this.#revision, writtenAt: NOW });
  }
}

export function setUp(): { store: MemoryLeases; index: LeaseIndex; writes: LeaseWrites } {
  const store = new MemoryLeases();
  const index = new LeaseIndex(() => undefined);
  index.current();
  return { store, index, writes: new LeaseWrites(store, index, CLOCK) };
}

export function lease(attempt: number, more: Partial<Lease> = {}): Lease {
  const common = { taskId: "a", sessionId: "s1", epoch: 0, ttlSeconds: 30, confirmed: false };
  return { ...common, progress: null, connection: null, attempt, ...more };
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
