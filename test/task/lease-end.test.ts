/** A claim whose lease has expired: the task is taken back, or its holder begins the lease again. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { endOfClaim } from "../../src/task/holder.ts";
import { CONNECTION_LOST, LEASE_EXPIRED, LEASE_HAD_RUN_OUT } from "../../src/task/task.ts";
import {
  assertRefused,
  assertUnchanged,
  assertWithoutHolder,
  availableTask,
  cancel,
  claim,
  claimedTask,
  expire,
  NOW,
  release,
  requeue,
  revive,
  written,
} from "./sample-task.ts";

describe("the end of a lease", () => {
  it("returns the task to the pool at once and counts as a lost lease, not as a failure", () => {
    const task = written(claimedTask(), expire());
    assert.deepEqual([task.status, task.notBefore], ["available", null]);
    assert.deepEqual([task.failures, task.lostLeases, task.error], [0, 1, LEASE_EXPIRED]);
    assert.deepEqual(
      [task.lastEvent?.type, task.lastEvent?.sessionId, task.lastEvent?.reason],
      ["task_expired", "alice", LEASE_EXPIRED],
    );
    assertWithoutHolder(task);
  });

  it("gives the loss of the connection as its reason, and otherwise does the same", () => {
    for (const lostLeases of [0, 9]) {
      const task = claimedTask({ lostLeases });
      const expired = written(task, expire());
      const lost = written(task, expire({ reason: CONNECTION_LOST }));
      const lastEvent = { ...expired.lastEvent, reason: CONNECTION_LOST };
      const error = String(expired.error).replace(LEASE_EXPIRED, CONNECTION_LOST);
      assert.deepEqual(lost, { ...expired, error, lastEvent });
      assert.equal(endOfClaim(lost.lastEvent), "expired");
    }
  });

  it("makes the task failed at the limit of lost leases, and the error says so", () => {
    const task = written(claimedTask({ lostLeases: 9 }), expire());
    assert.deepEqual([task.status, task.failures, task.lostLeases], ["failed", 0, 10]);
    assert.equal(
      task.error,
      "lease expired: the task has lost 10 leases, and max_lost_leases is 10",
    );
    assert.deepEqual(
      [task.lastEvent?.type, task.lastEvent?.reason],
      ["task_failed", LEASE_EXPIRED],
    );
    const only = written(claimedTask({ maxLostLeases: 1 }), expire());
    assert.match(String(only.error), /the task has lost 1 lease, and max_lost_leases is 1$/);
  });

  it("never makes the task failed if there is no limit of lost leases, or because of failures", () => {
    const unlimited = claimedTask({ maxLostLeases: 0, lostLeases: 1_000_000 });
    assert.equal(written(unlimited, expire()).status, "available");
    assert.equal(written(claimedTask({ failures: 2 }), expire()).status, "available");
    const failed = written(claimedTask({ lostLeases: 9 }), release("alice", "failed"));
    assert.deepEqual([failed.status, failed.failures, failed.lostLeases], ["available", 1, 9]);
  });

  it("changes nothing when it belongs to another attempt or the task is not claimed", () => {
    assertUnchanged(claimedTask({ attempt: 2 }), expire());
    assertUnchanged(availableTask({ attempt: 1 }), expire());
    assertUnchanged(written(claimedTask(), release("alice", "complete")), expire());
  });

  it("refuses every release of the late holder", () => {
    for (const lostLeases of [0, 9]) {
      const expired = written(claimedTask({ lostLeases }), expire());
      for (const outcome of ["available", "complete", "failed"] as const) {
        for (const attempt of [1, null]) {
          assertRefused(expired, release("alice", outcome, { attempt }), {
            code: "lease_lost",
            attempt: 1,
          });
        }
      }
    }
  });

  it("lets the same session claim the task again, under a new attempt", () => {
    assert.equal(written(written(claimedTask(), expire()), claim("alice")).attempt, 2);
  });
});

describe("a renewal after the lease has expired", () => {
  it("begins the lease again: the claim and its attempt stay, the epoch grows", () => {
    const before = claimedTask({ claimRequest: "request-1", failures: 1 });
    const task = written(before, revive("alice", { ttlSeconds: 60 }), NOW + 5);
    const { lastEvent } = task;
    const updated = { updatedAt: NOW + 5, lastEvent };
    assert.deepEqual(task, { ...before, leaseEpoch: 1, ttlSeconds: 60, ...updated });
    assert.deepEqual(lastEvent, {
      type: "task_renewed",
      oldStatus: "claimed",
      newStatus: "claimed",
      claimedBy: "alice",
      sessionId: "alice",
      reason: LEASE_HAD_RUN_OUT,
      timestamp: NOW + 5,
      principal: null,
    });
  });

  it("makes the expiry of the previous lease change nothing, and only that of the new lease count", () => {
    const task = written(claimedTask(), revive("alice"));
    assertUnchanged(task, expire());
    assert.equal(written(task, expire({ epoch: 1 })).status, "available");
  });

  it("is refused when the expiry was written first, also after the next claim", () => {
    const expired = written(claimedTask(), expire());
    const lost = { code: "lease_lost", attempt: 1 } as const;
    assertRefused(expired, revive("alice"), lost);
    const next = written(expired, claim("alice"));
    assertRefused(next, revive("alice"), { ...lost, attempt: 2 });
  });

  it("changes nothing when that lease has already begun again", () => {
    assertUnchanged(written(claimedTask(), revive("alice")), revive("alice"));
    assertUnchanged(claimedTask(), revive("alice", { epoch: 1 }));
  });

  it("is refused to another session and under another attempt", () => {
    assertRefused(claimedTask(), revive("bob"), { code: "not_holder", claimedBy: "alice" });
    assertRefused(claimedTask(), revive("alice", { attempt: 2 }), {
      code: "lease_lost",
      attempt: 1,
    });
  });

  it("keeps the request to stop, so that the next end of the lease cancels the task", () => {
    const asked = written(claimedTask(), cancel());
    const task = written(asked, revive("alice"));
    assert.equal(task.cancelRequested, true);
    assert.equal(written(task, expire({ epoch: 1 })).status, "cancelled");
  });

  it("counts from 0 again with each claim", () => {
    const revived = written(claimedTask(), revive("alice"));
    for (const end of [expire({ epoch: 1 }), release("alice", "available"), requeue()]) {
      const ended = written(revived, end);
      assert.equal(ended.leaseEpoch, 0);
      assert.equal(written(ended, claim("bob")).leaseEpoch, 0);
    }
    // An older version may have kept the epoch of the previous claim.
    assert.equal(written(availableTask({ leaseEpoch: 3 }), claim("bob")).leaseEpoch, 0);
  });
});
