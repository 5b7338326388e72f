import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CoordinatorError } from "../../src/protocol/errors.ts";
import { LeaseIndex } from "../../src/service/lease-index.ts";
import { LeaseWrites } from "../../src/service/lease-writes.ts";
import type { Lease, LeaseEntry, LeaseStore, WriteOutcome } from "../../src/service/ports.ts";

const NOW = 5_000;
const CLOCK = { now: () => NOW, random: () => 0 };

/** A store of one bucket in memory, with the compare-and-set of the real one. */
class MemoryLeases implements LeaseStore {
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
    this.entries.set(taskId, { kind, taskId, revision: ++this.#revision });
  }
}

function setUp(): { store: MemoryLeases; index: LeaseIndex; writes: LeaseWrites } {
  const store = new MemoryLeases();
  const index = new LeaseIndex(() => undefined);
  index.current();
  return { store, index, writes: new LeaseWrites(store, index, CLOCK) };
}

function lease(attempt: number, more: Partial<Lease> = {}): Lease {
  const common = { taskId: "a", sessionId: "s1", ttlSeconds: 30, confirmed: false, progress: null };
  return { ...common, attempt, ...more };
}

function attemptIn(store: MemoryLeases): number | null {
  const entry = store.entries.get("a");
  return entry?.kind === "live" ? entry.lease.attempt : null;
}

function progressIn(store: MemoryLeases): unknown {
  const entry = store.entries.get("a");
  assert.ok(entry?.kind === "live");
  return entry.lease.progress;
}

async function refusal(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => assert.fail("it was not refused"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof CoordinatorError, String(error));
  return error.code;
}

describe("granting a lease", () => {
  it("writes it over nothing, over a marker, and over the lease of an earlier attempt", async () => {
    for (const before of ["nothing", "expired", "removed", "earlier"]) {
      const { store, index, writes } = setUp();
      if (before === "expired" || before === "removed") store.end("a", before);
      if (before === "earlier") store.put(lease(1));
      assert.equal(await writes.grant(lease(2)), true, before);
      assert.equal(attemptIn(store), 2);
      assert.deepEqual(index.get("a")?.lease, lease(2), "its own worker knows of it at once");
      assert.equal(index.get("a")?.writtenAt, NOW);
    }
  });

  it("leaves a lease of the same attempt or a later one alone, known or found", async () => {
    for (const there of [2, 3]) {
      for (const isKnown of [true, false]) {
        const { store, index, writes } = setUp();
        const revision = store.put(lease(there, { confirmed: true }));
        const entry = store.entries.get("a");
        assert.ok(entry !== undefined);
        if (isKnown) index.entry(entry);
        assert.equal(await writes.grant(lease(2)), false);
        assert.deepEqual(store.entries.get("a")?.revision, revision);
      }
    }
  });

  it("gives up after a few lost races instead of trying for ever", async () => {
    const { store, writes } = setUp();
    store.write = () => {
      store.writes++;
      return Promise.resolve({ kind: "conflict" });
    };
    assert.equal(await writes.grant(lease(1)), false);
    assert.equal(store.writes, 5);
  });
});

describe("renewing a lease", () => {
  it("writes over what this worker knows, and looks again if that was stale", async () => {
    const { store, index, writes } = setUp();
    store.put(lease(1));
    const known = store.entries.get("a");
    assert.ok(known !== undefined);
    index.entry(known);
    assert.equal(await writes.renew(lease(1, { ttlSeconds: 60 })), true);
    assert.deepEqual([store.writes, store.loads], [1, 0]);
    store.put(lease(1, { ttlSeconds: 90 }));
    assert.equal(await writes.renew(lease(1, { confirmed: true })), true);
    assert.deepEqual([store.writes, store.loads], [3, 1]);
    assert.equal(index.get("a")?.lease.confirmed, true);
  });

  it("makes the lease if there is none yet, or it was purged", async () => {
    for (const before of ["nothing", "removed"]) {
      const { store, writes } = setUp();
      if (before === "removed") store.end("a", before);
      assert.equal(await writes.renew(lease(1)), true);
      assert.equal(attemptIn(store), 1);
    }
  });

  it("is refused as lost if the task has been claimed again, or the lease was seen to expire", async () => {
    const claimedAgain = setUp();
    claimedAgain.store.put(lease(2));
    assert.equal(await refusal(claimedAgain.writes.renew(lease(1))), "lease_lost");
    assert.equal(attemptIn(claimedAgain.store), 2);

    const { store, index, writes } = setUp();
    store.put(lease(1));
    for (const happens of ["live", "expired"]) {
      if (happens === "expired") store.end("a", "expired");
      const entry = store.entries.get("a");
      assert.ok(entry !== undefined);
      index.entry(entry);
    }
    assert.equal(await refusal(writes.renew(lease(1))), "lease_lost");
    assert.equal(attemptIn(store), null);
  });

  it("is unavailable while nobody can say whose expiry the marker tells of", async () => {
    const { store, writes } = setUp();
    store.end("a", "expired");
    assert.equal(await refusal(writes.renew(lease(2))), "unavailable");
    assert.equal(store.writes, 0);
  });

  it("writes nothing if what it finds is not wanted, also when it finds it late", async () => {
    const { store, index, writes } = setUp();
    const isUnconfirmed = (found: LeaseEntry | null): boolean =>
      found?.kind !== "live" || !found.lease.confirmed;
    store.put(lease(1));
    const known = store.entries.get("a");
    assert.ok(known !== undefined);
    index.entry(known);
    // Another worker has confirmed it; this one has not heard of that.
    const revision = store.put(lease(1, { confirmed: true }));
    const again = writes.renew(lease(1, { confirmed: true }), { isWanted: isUnconfirmed });
    assert.equal(await again, false);
    assert.equal(store.entries.get("a")?.revision, revision);
  });

  it("keeps the progress of this attempt that it writes over, also when it finds it late", async () => {
    const { store, index, writes } = setUp();
    store.put(lease(1, { progress: "known" }));
    const known = store.entries.get("a");
    assert.ok(known !== undefined);
    index.entry(known);
    await writes.renew(lease(1));
    assert.equal(progressIn(store), "known");
    store.put(lease(1, { progress: "reported to another worker" }));
    await writes.renew(lease(1, { progress: "not a report" }));
    assert.equal(progressIn(store), "reported to another worker");
  });

  it("takes what is reported instead, also null", async () => {
    for (const reported of [{ done: 1 }, 0, false, "", null]) {
      const { store, index, writes } = setUp();
      store.put(lease(1, { progress: "before" }));
      await writes.renew(lease(1), { reported });
      assert.deepEqual(progressIn(store), reported);
      assert.deepEqual(index.get("a")?.lease.progress, reported);
    }
  });

  it("begins without progress over the lease of an earlier attempt, and over none", async () => {
    for (const before of ["nothing", "earlier", "removed"]) {
      const { store, writes } = setUp();
      if (before !== "nothing") store.put(lease(1, { progress: "of the first attempt" }));
      if (before === "removed") store.end("a", before);
      await writes.renew(lease(2));
      assert.deepEqual([attemptIn(store), progressIn(store)], [2, null], before);
    }
  });

  it("is unavailable after a few lost races", async () => {
    const { store, writes } = setUp();
    store.write = () => Promise.resolve({ kind: "conflict" });
    assert.equal(await refusal(writes.renew(lease(1))), "unavailable");
  });
});
