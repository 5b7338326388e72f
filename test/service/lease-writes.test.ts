import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { LeaseEntry } from "../../src/service/ports.ts";
import { lease, type MemoryLeases, NOW, refusal, setUp } from "../support/memory-leases.ts";

const WRITTEN = { kind: "written" };

function attemptIn(store: MemoryLeases): number | null {
  const entry = store.entries.get("a");
  return entry?.kind === "live" ? entry.lease.attempt : null;
}

function progressIn(store: MemoryLeases): unknown {
  const entry = store.entries.get("a");
  assert.ok(entry?.kind === "live");
  return entry.lease.progress;
}

describe("granting a lease", () => {
  it("writes it if there is no entry, over a marker, and over the lease of an earlier attempt", async () => {
    for (const before of ["nothing", "expired", "removed", "earlier"]) {
      const { store, index, writes } = setUp();
      if (before === "expired" || before === "removed") store.end("a", before);
      if (before === "earlier") store.put(lease(1));
      assert.equal(await writes.grant(lease(2), NOW), true, before);
      assert.equal(attemptIn(store), 2);
      assert.deepEqual(index.get("a")?.lease, lease(2), "its own worker knows of it at once");
      assert.equal(index.get("a")?.writtenAt, NOW);
    }
  });

  it("leaves a lease of the same or a later attempt alone, whether known or found", async () => {
    for (const there of [2, 3]) {
      for (const isKnown of [true, false]) {
        const { store, index, writes } = setUp();
        const revision = store.put(lease(there, { confirmed: true }));
        const entry = store.entries.get("a");
        assert.ok(entry !== undefined);
        if (isKnown) index.entry(entry);
        assert.equal(await writes.grant(lease(2), NOW), false);
        assert.deepEqual(store.entries.get("a")?.revision, revision);
      }
    }
  });

  it("gives up after a few lost races instead of trying forever", async () => {
    const { store, writes } = setUp();
    store.write = () => {
      store.writes++;
      return Promise.resolve({ kind: "conflict" });
    };
    assert.equal(await writes.grant(lease(1), NOW), false);
    assert.equal(store.writes, 5);
  });
});

describe("renewing a lease", () => {
  it("writes over the lease that this worker knows, and reads again if that was stale", async () => {
    const { store, index, writes } = setUp();
    store.put(lease(1));
    const known = store.entries.get("a");
    assert.ok(known !== undefined);
    index.entry(known);
    assert.deepEqual(await writes.renew(lease(1, { ttlSeconds: 60 })), WRITTEN);
    assert.deepEqual([store.writes, store.loads], [1, 0]);
    store.put(lease(1, { ttlSeconds: 90 }));
    assert.deepEqual(await writes.renew(lease(1, { confirmed: true })), WRITTEN);
    assert.deepEqual([store.writes, store.loads], [3, 1]);
    assert.equal(index.get("a")?.lease.confirmed, true);
  });

  it("makes the lease if there is none yet, or if it was purged", async () => {
    for (const before of ["nothing", "removed"]) {
      const { store, writes } = setUp();
      if (before === "removed") store.end("a", before);
      assert.deepEqual(await writes.renew(lease(1)), WRITTEN);
      assert.equal(attemptIn(store), 1);
    }
  });

  it("is refused as lost if the task has been claimed again", async () => {
    const { store, writes } = setUp();
    store.put(lease(2));
    assert.equal(await refusal(writes.renew(lease(1))), "lease_lost");
    assert.equal(attemptIn(store), 2);
  });

  it("is unavailable while it is unknown which lease the marker belongs to", async () => {
    const { store, writes } = setUp();
    store.end("a", "expired");
    assert.equal(await refusal(writes.renew(lease(2))), "unavailable");
    assert.equal(store.writes, 0);
  });

  it("writes nothing if the lease that it finds is not wanted, also if it finds it late", async () => {
    const { store, index, writes } = setUp();
    const isUnconfirmed = (found: LeaseEntry | null): boolean =>
      found?.kind !== "live" || !found.lease.confirmed;
    store.put(lease(1));
    const known = store.entries.get("a");
    assert.ok(known !== undefined);
    index.entry(known);
    // Another worker has confirmed it, and this worker has not seen that.
    const revision = store.put(lease(1, { confirmed: true }));
    const again = writes.renew(lease(1, { confirmed: true }), { isWanted: isUnconfirmed });
    assert.deepEqual(await again, { kind: "left" });
    assert.equal(store.entries.get("a")?.revision, revision);
  });

  it("keeps the progress of the lease of this attempt, also if it finds that late", async () => {
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

  it("takes the progress that is reported instead, also null", async () => {
    for (const reported of [{ done: 1 }, 0, false, "", null]) {
      const { store, index, writes } = setUp();
      store.put(lease(1, { progress: "before" }));
      await writes.renew(lease(1), { reported });
      assert.deepEqual(progressIn(store), reported);
      assert.deepEqual(index.get("a")?.lease.progress, reported);
    }
  });

  it("begins without progress over the lease of an earlier attempt, or without one", async () => {
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
