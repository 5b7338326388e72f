/** Writes of leases over the marker of a lease that has run out, and over its successor. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { LeaseIndex } from "../../src/service/lease-index.ts";
import type { LeaseEntry } from "../../src/service/ports.ts";
import { lease, type MemoryLeases, NOW, refusal, setUp } from "../support/memory-leases.ts";

const FIRST = lease(1, { progress: "half", ttlSeconds: 60 });
const SECOND = lease(1, { epoch: 1 });

function entryOf(store: MemoryLeases): LeaseEntry {
  const entry = store.entries.get("a");
  assert.ok(entry !== undefined);
  return entry;
}

/** Lets the first lease run out. The worker sees its end, only the lease alive, or nothing. */
function runOut(store: MemoryLeases, index: LeaseIndex, seen: "end" | "alive" | "nothing"): void {
  store.put(FIRST);
  if (seen !== "nothing") index.entry(entryOf(store));
  store.end("a", "expired");
  if (seen === "end") index.entry(entryOf(store));
}

function epochIn(store: MemoryLeases): number | null {
  const entry = entryOf(store);
  return entry.kind === "live" ? entry.lease.epoch : null;
}

describe("a lease that has run out", () => {
  it("is not renewed, but returned together with the entry that is there", async () => {
    for (const seen of ["end", "alive"] as const) {
      const { store, index, writes } = setUp();
      runOut(store, index, seen);
      const over = entryOf(store);
      const renewed = await writes.renew(lease(1));
      assert.deepEqual(renewed, { kind: "expired", lease: FIRST, over });
      assert.equal(entryOf(store), over);
    }
  });

  it("is not renewed either if its marker is gone, by a worker that saw its end", async () => {
    const { store, index, writes } = setUp();
    runOut(store, index, "end");
    store.entries.clear();
    const renewed = await writes.renew(lease(1));
    assert.deepEqual(renewed, { kind: "expired", lease: FIRST, over: null });
  });

  it("is not brought back by a grant or a restoration", async () => {
    const { store, index, writes } = setUp();
    runOut(store, index, "end");
    assert.equal(await writes.grant(FIRST, NOW), false);
    assert.deepEqual(await writes.restore(FIRST), { kind: "left" });
    assert.equal(epochIn(store), null);
  });

  it("is not mistaken for a missing lease by a worker that never saw it", async () => {
    const { store, index, writes } = setUp();
    runOut(store, index, "nothing");
    const over = entryOf(store);
    assert.deepEqual(await writes.restore(FIRST), { kind: "expired", lease: FIRST, over });
    assert.equal(await refusal(writes.renew(lease(1))), "unavailable");
    // A marker right after the claim belongs to an earlier claim.
    assert.equal(await writes.grant(lease(2), NOW - 1_000), false);
    assert.equal(await writes.grant(lease(2), NOW - 999), true);
  });
});

describe("the lease that follows in the next epoch", () => {
  it("is written with the progress over the marker that was found, and over nothing else", async () => {
    const { store, index, writes } = setUp();
    runOut(store, index, "end");
    const over = entryOf(store);
    assert.deepEqual(await writes.restore(SECOND, over), { kind: "written" });
    assert.deepEqual(index.get("a")?.lease, { ...SECOND, progress: "half" });
    assert.equal(index.expired("a"), undefined);

    store.end("a", "expired");
    assert.deepEqual(await writes.restore(lease(1, { epoch: 2 }), over), { kind: "left" });
    assert.equal(epochIn(store), null);
  });

  it("is also made by a renewal over the marker of the earlier lease", async () => {
    for (const given of [true, false]) {
      const { store, index, writes } = setUp();
      runOut(store, index, "end");
      const options = given ? { over: entryOf(store) } : {};
      assert.deepEqual(await writes.renew(SECOND, options), { kind: "written" });
      assert.equal(epochIn(store), 1);
    }
  });

  it("is kept by a renewal that has read an older record", async () => {
    const { store, writes } = setUp();
    store.put(SECOND);
    assert.deepEqual(await writes.renew(lease(1, { ttlSeconds: 90 })), { kind: "written" });
    const entry = entryOf(store);
    assert.ok(entry.kind === "live");
    assert.deepEqual([entry.lease.epoch, entry.lease.ttlSeconds], [1, 90]);
  });

  it("can itself run out while it is renewed", async () => {
    const { store, writes } = setUp();
    store.put(SECOND);
    store.write = () => {
      store.end("a", "expired");
      return Promise.resolve({ kind: "conflict" });
    };
    const renewed = await writes.renew(lease(1));
    assert.deepEqual(renewed, { kind: "expired", lease: SECOND, over: entryOf(store) });
  });

  it("replaces the earlier lease, which never replaces it", async () => {
    const { store, writes } = setUp();
    store.put(FIRST);
    assert.equal(await writes.grant(SECOND, NOW), true);
    assert.equal(await writes.grant(FIRST, NOW), false);
    assert.equal(epochIn(store), 1);
  });
});
