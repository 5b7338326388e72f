import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LeaseIndex } from "../../src/service/lease-index.ts";
import type { Lease } from "../../src/service/ports.ts";

const NOW = 1_000;

function lease(attempt: number, taskId = "a"): Lease {
  const common = { sessionId: "s1", epoch: 0, ttlSeconds: 30, confirmed: false, progress: null };
  return { ...common, connection: null, taskId, attempt };
}

function indexWithChanges(): { index: LeaseIndex; changed: string[] } {
  const changed: string[] = [];
  const index = new LeaseIndex((taskId) => changed.push(taskId));
  index.current();
  return { index, changed };
}

function granted(index: LeaseIndex, revision: number, attempt = 1, taskId = "a"): void {
  index.entry({ kind: "live", revision, lease: lease(attempt, taskId), writtenAt: NOW });
}

function expired(index: LeaseIndex, revision: number, taskId = "a", lateMs = 0): void {
  index.entry({ kind: "expired", taskId, revision, writtenAt: NOW + 30_000 + lateMs });
}

describe("the index of leases", () => {
  it("knows the live ones", () => {
    const { index, changed } = indexWithChanges();
    granted(index, 1);
    const known = index.get("a");
    assert.deepEqual([known?.lease, known?.revision, known?.writtenAt], [lease(1), 1, NOW]);
    assert.deepEqual([index.size, changed], [1, ["a"]]);
  });

  it("remembers the lease that it saw alive and then run out", () => {
    const { index, changed } = indexWithChanges();
    granted(index, 1, 4);
    expired(index, 2);
    assert.equal(index.get("a"), undefined);
    const known = {
      lease: lease(4),
      revision: 2,
      writtenAt: NOW,
      lateMs: 0,
      isDisconnected: false,
    };
    assert.deepEqual(index.expired("a"), known);
    assert.deepEqual(changed, ["a", "a"]);
    index.forgetExpired("a");
    assert.equal(index.expired("a"), undefined);
  });

  it("concludes nothing from the end of a lease that it never saw, or that was purged", () => {
    const { index } = indexWithChanges();
    expired(index, 1, "unseen");
    assert.equal(index.expired("unseen"), undefined);
    granted(index, 2);
    index.entry({ kind: "removed", taskId: "a", revision: 3 });
    assert.deepEqual([index.size, index.expired("a")], [0, undefined]);
  });

  it("forgets an expiry when the task has a lease again", () => {
    const { index } = indexWithChanges();
    granted(index, 1, 1);
    expired(index, 2);
    granted(index, 3, 2);
    assert.equal(index.expired("a"), undefined);
  });

  it("takes in its own renewal, which an expiry from before does not end", () => {
    const { index } = indexWithChanges();
    granted(index, 1);
    index.applyOwn(lease(2), 3, NOW + 5);
    expired(index, 2);
    assert.deepEqual(index.get("a"), { lease: lease(2), revision: 3, writtenAt: NOW + 5 });
    assert.equal(index.expired("a"), undefined);
  });

  it("does not take its own write again when the watch is past it", () => {
    const { index } = indexWithChanges();
    granted(index, 1);
    index.entry({ kind: "removed", taskId: "a", revision: 2 });
    index.applyOwn(lease(1), 1, NOW);
    assert.equal(index.size, 0);
  });
});

describe("how late a lease has ended", () => {
  it("is computed from two timestamps of the server", () => {
    const { index } = indexWithChanges();
    granted(index, 1);
    expired(index, 2, "a", 7_000);
    assert.equal(index.expired("a")?.lateMs, 7_000);
  });

  it("is computed from the server's timestamps for own writes too", () => {
    const { index } = indexWithChanges();
    index.applyOwn(lease(1), 1, NOW - 60_000);
    granted(index, 1);
    expired(index, 2);
    assert.equal(index.expired("a")?.lateMs, 0);
  });
});

describe("the index of leases after a lost connection", () => {
  it("drops a lease that left no marker, without calling it expired", () => {
    const { index, changed } = indexWithChanges();
    granted(index, 1, 1, "gone");
    granted(index, 2, 1, "there");
    index.restarted();
    assert.equal(index.isCurrent, false);
    granted(index, 2, 1, "there");
    changed.length = 0;
    index.current();
    assert.deepEqual([index.isCurrent, index.size, changed], [true, 1, ["gone"]]);
    assert.equal(index.expired("gone"), undefined);
  });

  it("takes a marker among the first entries as the end of a lease that it had seen", () => {
    const { index } = indexWithChanges();
    granted(index, 1, 3);
    index.restarted();
    expired(index, 2);
    index.current();
    assert.equal(index.expired("a")?.lease.attempt, 3);
  });
});
