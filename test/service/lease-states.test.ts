/** What a worker knows about the lease of a claim, by the test's own clock. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nameOf } from "../../src/service/leases.ts";
import type { ConnectionId } from "../../src/service/ports.ts";
import { CLAIM, leaseOf, MemoryStores, withClaim, withLease } from "../support/memory-stores.ts";
import type { LeaseState } from "../../src/task/follow-up.ts";
import { availableTask, NOW } from "../task/sample-task.ts";

const CONNECTION: ConnectionId = { serverId: "N1", clientId: 7 };
const KEY = "1-0.a";

describe("the state of a lease", () => {
  it("is missing since the worker knows the claim, until it knows the lease", () => {
    const stores = withClaim();
    const own = stores.worker();
    own.leases.claimed(CLAIM, CONNECTION);
    const other = stores.worker();
    const missing = {
      ...{ kind: "missing", since: 0, isOwn: false },
      ...{ namesConnection: false, isUsed: false },
    };
    assert.deepEqual(other.leases.stateOf(CLAIM), missing);
    own.time = other.time = 5_000;
    assert.deepEqual(other.leases.stateOf(CLAIM), missing);
    const ownState = { ...missing, isOwn: true, namesConnection: true };
    assert.deepEqual(own.leases.stateOf(CLAIM), ownState);
    stores.leases.put(leaseOf(CLAIM));
    own.see();
    assert.deepEqual(own.leases.stateOf(CLAIM), { kind: "live", endsAt: null });
    assert.deepEqual(own.leases.originOf(CLAIM), { isOwn: false, connection: null });
  });

  it("is nothing if nobody holds the task", () => {
    assert.equal(new MemoryStores().worker().leases.stateOf(availableTask()), null);
  });

  it("is live with an end if its connection is lost", () => {
    const worker = withLease({ connection: CONNECTION }).worker();
    assert.deepEqual(worker.leases.disconnected(CONNECTION), ["a"]);
    assert.deepEqual(worker.leases.stateOf(CLAIM), { kind: "live", endsAt: 500 });
  });

  it("is ended, with the reason, and without a grace if there was no outage", () => {
    for (const [how, reason] of [
      ["removed", "lease expired"],
      ["disconnected", "connection lost"],
    ] as const) {
      const stores = withLease();
      const worker = stores.worker();
      stores.leases.putEnd(nameOf(CLAIM), how);
      worker.see();
      assert.deepEqual(worker.leases.stateOf(CLAIM), {
        kind: "ended",
        reason,
        sparedUntil: -Infinity,
      });
    }
  });

  it("is ended with a grace if the worker has only seen the end", () => {
    for (const [outageGraceMs, spared] of [
      [10_000, 10_000],
      [0, 3_000],
    ] as const) {
      const stores = withClaim();
      stores.leases.putEnd(nameOf(CLAIM));
      const worker = stores.worker({ outageGraceMs });
      const sparedUntil = spared;
      const ended = { kind: "ended", reason: "lease expired", sparedUntil };
      assert.deepEqual(worker.leases.stateOf(CLAIM), ended);
    }
  });

  it("is missing with a used key if the worker knew the marker before the claim", () => {
    for (const isOwn of [true, false]) {
      const stores = new MemoryStores();
      stores.tasks.put({ ...CLAIM, status: "available", attempt: 0, claimedBy: null });
      stores.leases.putEnd(nameOf(CLAIM));
      const worker = stores.worker();
      stores.tasks.put(CLAIM);
      worker.see();
      if (isOwn) worker.leases.claimed(CLAIM, null);
      assert.deepEqual(worker.leases.stateOf(CLAIM), used({ isOwn }));
      // It does not forget that when its watches begin again.
      worker.restart();
      assert.deepEqual(worker.leases.stateOf(CLAIM), used({ isOwn }));
    }
  });

  it("is missing with a used key if the worker knows whose lease it was", () => {
    const stores = withLease({ fencingToken: 3 });
    const worker = stores.worker();
    assert.deepEqual(worker.leases.stateOf(CLAIM), used());
    stores.leases.putEnd(nameOf(CLAIM));
    worker.see();
    assert.deepEqual(worker.leases.stateOf(CLAIM), used());
  });

  it("is missing with a used key if the worker makes the claim while it cannot see the marker", () => {
    const stores = withClaim();
    stores.leases.putEnd(nameOf(CLAIM));
    const worker = stores.worker();
    worker.leases.index.restarted();
    worker.leases.claimed(CLAIM, null);
    worker.restart();
    assert.deepEqual(worker.leases.stateOf(CLAIM), used({ isOwn: true }));
  });

  it("is ended if the worker has made the claim and knows the marker since then", () => {
    const stores = withClaim();
    const worker = stores.worker();
    worker.leases.claimed(CLAIM, null);
    // It was written by this worker or by another one, and the watch was interrupted.
    stores.leases.putEnd(nameOf(CLAIM));
    worker.restart();
    assert.deepEqual(worker.leases.stateOf(CLAIM), {
      ...{ kind: "ended", reason: "lease expired" },
      sparedUntil: 10_000,
    });
  });

  it("does not depend on the clock of the worker that created the task", () => {
    for (const createdAt of [0, 2 * NOW]) {
      const claim = { ...CLAIM, createdAt };
      const stores = new MemoryStores();
      stores.tasks.put({ ...claim, status: "available", attempt: 0, claimedBy: null });
      const early = stores.worker();
      stores.leases.putEnd(nameOf(claim));
      early.see();
      stores.tasks.put(claim);
      early.see();
      assert.deepEqual(early.leases.stateOf(claim), used());
      const late = stores.worker();
      assert.equal(late.leases.stateOf(claim)?.kind, "ended");
    }
  });

  it("keeps its origin in the next epoch of the claim", () => {
    const stores = withClaim();
    const worker = stores.worker();
    worker.leases.claimed(CLAIM, CONNECTION);
    const again = { ...CLAIM, leaseEpoch: 1 };
    stores.tasks.put(again);
    worker.see();
    assert.deepEqual(worker.leases.originOf(again).connection, CONNECTION);
    // Another claim does not get it, even if this worker has not seen that claim yet.
    const next = { ...CLAIM, attempt: 2, fencingToken: 9 };
    assert.equal(worker.leases.originOf(next).connection, null);
  });
});

/** The state of a lease that is missing and whose key an earlier task has used. */
function used({ isOwn = false } = {}): LeaseState {
  return { kind: "missing", since: 0, isOwn, namesConnection: false, isUsed: true };
}

describe("the index of leases", () => {
  it("knows the live ones, and reports each change", () => {
    const stores = withLease();
    const worker = stores.worker();
    const changed: string[] = [];
    worker.leases.index.onChange((taskId) => changed.push(taskId));
    assert.deepEqual([worker.leases.index.size, [...worker.leases.index.taskIds()]], [1, ["a"]]);
    stores.leases.putEnd(nameOf(CLAIM));
    worker.see();
    assert.deepEqual([worker.leases.index.size, worker.leases.index.get(KEY)], [0, undefined]);
    assert.deepEqual(
      worker.leases.index.ended(KEY)?.known?.lease,
      leaseOf(CLAIM, { progress: "half" }),
    );
    assert.deepEqual(new Set(changed), new Set(["a"]));
  });

  it("concludes nothing from the end of a lease whose claim is over", () => {
    const stores = withLease();
    const worker = stores.worker();
    stores.tasks.put({ ...CLAIM, status: "complete", claimedBy: null });
    worker.see();
    stores.leases.putEnd(nameOf(CLAIM));
    worker.see();
    assert.equal(worker.leases.index.ended(KEY), undefined);
  });

  it("forgets an end when the claim is over", () => {
    const stores = withLease();
    const worker = stores.worker();
    stores.leases.putEnd(nameOf(CLAIM));
    worker.see();
    assert.notEqual(worker.leases.index.ended(KEY), undefined);
    stores.tasks.put({ ...CLAIM, leaseEpoch: 1 });
    worker.see();
    assert.equal(worker.leases.index.ended(KEY), undefined);
  });

  it("forgets an end when the key is in use again", () => {
    const stores = withClaim();
    stores.leases.putEnd(nameOf(CLAIM));
    const worker = stores.worker();
    stores.leases.put(leaseOf(CLAIM));
    worker.see();
    assert.equal(worker.leases.index.ended(KEY), undefined);
    assert.deepEqual(worker.leases.stateOf(CLAIM), { kind: "live", endsAt: null });
  });

  it("drops a lease that left no marker while the watch was interrupted, and does not call it ended", () => {
    const stores = withLease();
    const worker = stores.worker();
    stores.leases.entries.clear();
    worker.restart();
    assert.deepEqual([worker.leases.index.size, worker.leases.index.ended(KEY)], [0, undefined]);
    assert.equal(worker.leases.stateOf(CLAIM)?.kind, "missing");
  });

  it("spares the holder of a lease that ended while the watch was interrupted", () => {
    const stores = withLease();
    const worker = stores.worker();
    stores.leases.putEnd(nameOf(CLAIM));
    worker.restart();
    assert.deepEqual(worker.leases.stateOf(CLAIM), {
      ...{ kind: "ended", reason: "lease expired" },
      sparedUntil: 10_000,
    });
    assert.equal(worker.leases.index.spared, 1);
  });
});
