/** What becomes of a claim whose lease has run out: taken back, or begun anew by its holder. */
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

  it("says so if it came with the loss of the holder's connection, and is else the same", () => {
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

  it("makes the task failed when it has lost as many leases as it may, and the error says so", () => {
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

  it("never makes it failed without a limit of lost leases, or for its failures", () => {
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

  it("lets the late holder end nothing, whatever it says", () => {
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

  it("lets the same session claim again, under a new attempt", () => {
    assert.equal(written(written(claimedTask(), expire()), claim("alice")).attempt, 2);
  });
});

describe("a renewal after the lease has run out", () => {
  it("begins the lease anew: the claim and its attempt stay, the epoch grows", () => {
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
    });
  });

  it("leaves nothing to the expiry of the lease before, and a new one to that of its own", () => {
    const task = written(claimedTask(), revive("alice"));
    assertUnchanged(task, expire());
    assert.equal(written(task, expire({ epoch: 1 })).status, "available");
  });

  it("is refused when the expiry was faster, also after the next claim", () => {
    const expired = written(claimedTask(), expire());
    const lost = { code: "lease_lost", attempt: 1 } as const;
    assertRefused(expired, revive("alice"), lost);
    const next = written(expired, claim("alice"));
    assertRefused(next, revive("alice"), { ...lost, attempt: 2 });
  });

  it("changes nothing when that lease has been begun anew already", () => {
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

  it("keeps a request to stop, with which the next end of the lease cancels the task", () => {
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
    // One that an older version has carried along from the claim before.
    assert.equal(written(availableTask({ leaseEpoch: 3 }), claim("bob")).leaseEpoch, 0);
  });
});
