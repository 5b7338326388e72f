import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LeaseIndex } from "../../src/service/lease-index.ts";
import type { Lease } from "../../src/service/ports.ts";

const NOW = 1_000;

function lease(attempt: number, taskId = "a"): Lease {
  return { taskId, sessionId: "s1", attempt, ttlSeconds: 30, confirmed: false, progress: null };
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

describe("the index of leases", () => {
  it("knows the live ones", () => {
    const { index, changed } = indexWithChanges();
    granted(index, 1);
    const known = index.get("a");
    assert.deepEqual([known?.lease, known?.revision, known?.writtenAt], [lease(1), 1, NOW]);
    assert.deepEqual([index.size, changed], [1, ["a"]]);
  });

  it("remembers the attempt whose lease it saw alive and then run out", () => {
    const { index, changed } = indexWithChanges();
    granted(index, 1, 4);
    index.entry({ kind: "expired", taskId: "a", revision: 2 });
    assert.deepEqual([index.get("a"), index.expiredAttempt("a")], [undefined, 4]);
    assert.deepEqual(changed, ["a", "a"]);
    index.forgetExpired("a");
    assert.equal(index.expiredAttempt("a"), undefined);
  });

  it("concludes nothing from the end of a lease that it never saw, or that was purged", () => {
    const { index } = indexWithChanges();
    index.entry({ kind: "expired", taskId: "unseen", revision: 1 });
    assert.equal(index.expiredAttempt("unseen"), undefined);
    granted(index, 2);
    index.entry({ kind: "removed", taskId: "a", revision: 3 });
    assert.deepEqual([index.size, index.expiredAttempt("a")], [0, undefined]);
  });

  it("forgets an expiry when the task has a lease again", () => {
    const { index } = indexWithChanges();
    granted(index, 1, 1);
    index.entry({ kind: "expired", taskId: "a", revision: 2 });
    granted(index, 3, 2);
    assert.equal(index.expiredAttempt("a"), undefined);
  });

  it("takes in its own renewal, which an expiry from before does not end", () => {
    const { index } = indexWithChanges();
    granted(index, 1);
    index.applyOwn(lease(2), 3, NOW + 5);
    index.entry({ kind: "expired", taskId: "a", revision: 2 });
    assert.deepEqual(index.get("a"), { lease: lease(2), revision: 3, writtenAt: NOW + 5 });
    assert.equal(index.expiredAttempt("a"), undefined);
  });

  it("does not take its own write again when the watch is past it", () => {
    const { index } = indexWithChanges();
    granted(index, 1);
    index.entry({ kind: "removed", taskId: "a", revision: 2 });
    index.applyOwn(lease(1), 1, NOW);
    assert.equal(index.size, 0);
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
    assert.equal(index.expiredAttempt("gone"), undefined);
  });

  it("takes a marker among the first entries as the end of a lease that it had seen", () => {
    const { index } = indexWithChanges();
    granted(index, 1, 3);
    index.restarted();
    index.entry({ kind: "expired", taskId: "a", revision: 2 });
    index.current();
    assert.equal(index.expiredAttempt("a"), 3);
  });
});
