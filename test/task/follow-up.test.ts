import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type FollowUp,
  followUp,
  type Later,
  type LeaseState,
  type Situation,
  type Timing,
} from "../../src/task/follow-up.ts";
import { CONNECTION_LOST, LEASE_EXPIRED, type Task } from "../../src/task/task.ts";
import { availableTask, blockedTask, claimedTask, followed, NOW } from "./sample-task.ts";

/** What the steady clock shows. */
const STEADY = 100_000;
const TIMING: Timing = { steady: STEADY, now: NOW, leaseGraceMs: 3_000, retentionMs: 60_000 };
const LIVE: LeaseState = { kind: "live", endsAt: null };
const MISSING = {
  kind: "missing",
  since: STEADY,
  isOwn: true,
  namesConnection: false,
  isUsed: false,
} as const;

function situation(task: Task | null, more: Partial<Situation> = {}): Situation {
  return {
    task: followed(task),
    lease: task?.status === "claimed" ? LIVE : null,
    hasOldLeases: false,
    isReplaced: false,
    isOutage: false,
    isWaiting: () => false,
    isNeeded: () => false,
    ...more,
  };
}

/** What follows for a claim with a lease in this state. */
function ofClaim(
  lease: LeaseState,
  {
    task = {},
    timing = {},
    ...more
  }: Partial<Omit<Situation, "task">> & {
    readonly task?: Partial<Task>;
    readonly timing?: Partial<Timing>;
  } = {},
): FollowUp | Later | null {
  return followUp(situation(claimedTask(task), { lease, ...more }), { ...TIMING, ...timing });
}

const again = (at: number): Later => ({ kind: "again", at });

describe("what follows for a claim without a lease", () => {
  it("is a grant by its own worker after a second", () => {
    assert.deepEqual(ofClaim(MISSING), again(STEADY + 1_000));
    assert.deepEqual(ofClaim(MISSING, { timing: { steady: STEADY + 999 } }), again(STEADY + 1_000));
    assert.deepEqual(ofClaim(MISSING, { timing: { steady: STEADY + 1_000 } }), { kind: "grant" });
  });

  it("is a grant well before other workers think that the lease is missing", () => {
    assert.deepEqual(ofClaim(MISSING, { timing: { leaseGraceMs: 300 } }), again(STEADY + 100));
  });

  it("is a grant at once if the lease is short or names a connection", () => {
    for (const [ttlSeconds, namesConnection, isUrgent] of [
      [5, false, true],
      [6, false, false],
      [6, true, true],
      [null, false, true],
    ] as const) {
      const decision = ofClaim({ ...MISSING, namesConnection }, { task: { ttlSeconds } });
      assert.deepEqual(decision, isUrgent ? { kind: "grant" } : again(STEADY + 1_000));
    }
  });

  it("is a grant by any other worker after the grace period, however short the lease is", () => {
    const lease = { ...MISSING, isOwn: false, namesConnection: true };
    const task = { ttlSeconds: 1 };
    assert.deepEqual(ofClaim(lease, { task }), again(STEADY + 3_000));
    assert.deepEqual(ofClaim(lease, { task, timing: { steady: STEADY + 3_000 } }), {
      kind: "grant",
    });
  });
});

describe("what follows for a claim whose key an earlier task has used", () => {
  it("is the next epoch, when the lease would be granted", () => {
    for (const [isOwn, delay] of [
      [true, 1_000],
      [false, 3_000],
    ] as const) {
      const lease = { ...MISSING, isOwn, isUsed: true };
      assert.deepEqual(ofClaim(lease), again(STEADY + delay));
      const timing = { steady: STEADY + delay };
      assert.deepEqual(ofClaim(lease, { timing }), { kind: "begin_again" });
    }
  });
});

describe("what follows for a claim with a lease", () => {
  it("is nothing while the lease lasts", () => {
    assert.equal(ofClaim(LIVE), null);
  });

  it("is the end of the lease when its connection has been lost for long enough", () => {
    assert.deepEqual(ofClaim({ kind: "live", endsAt: STEADY + 1 }), again(STEADY + 1));
    assert.deepEqual(ofClaim({ kind: "live", endsAt: STEADY }), { kind: "disconnect" });
  });

  it("is nothing for a lost connection in an outage", () => {
    for (const endsAt of [STEADY - 1, STEADY + 1]) {
      assert.equal(ofClaim({ kind: "live", endsAt }, { isOutage: true }), null);
    }
  });

  it("is the return of the claim when the lease has ended and its holder is not spared", () => {
    for (const reason of [LEASE_EXPIRED, CONNECTION_LOST] as const) {
      const ended = { kind: "ended", reason, sparedUntil: STEADY } as const;
      assert.deepEqual(ofClaim(ended), { kind: "expire", reason });
      assert.deepEqual(ofClaim({ ...ended, sparedUntil: STEADY + 1 }), again(STEADY + 1));
    }
  });

  it("is the return of the claim if another process has replaced its holder, and nothing else is due", () => {
    for (const lease of [LIVE, MISSING]) {
      assert.deepEqual(ofClaim(lease, { isReplaced: true }), { kind: "replace" });
    }
    // The stream of sessions may not answer. The end of the lease does not need it.
    const ended = { kind: "ended", reason: LEASE_EXPIRED, sparedUntil: STEADY } as const;
    const expire = { kind: "expire", reason: LEASE_EXPIRED };
    assert.deepEqual(ofClaim(ended, { isReplaced: true }), expire);
  });
});

describe("what follows for leases of claims that are over", () => {
  it("is a purge if nothing else is due now", () => {
    for (const task of [null, availableTask(), claimedTask()]) {
      assert.deepEqual(followUp(situation(task, { hasOldLeases: true }), TIMING), {
        kind: "purge",
      });
    }
    assert.deepEqual(ofClaim(MISSING, { hasOldLeases: true }), { kind: "purge" });
  });

  it("is a purge only after what is due for the task, because a purge can fail again and again", () => {
    const ended = { kind: "ended", reason: LEASE_EXPIRED, sparedUntil: STEADY } as const;
    const expire = { kind: "expire", reason: LEASE_EXPIRED };
    assert.deepEqual(ofClaim(ended, { hasOldLeases: true }), expire);
    const blocked = situation(blockedTask(), { hasOldLeases: true });
    assert.deepEqual(followUp(blocked, TIMING), { kind: "settle_dependencies" });
  });

  it("is nothing if there are none and no task", () => {
    assert.equal(followUp(situation(null), TIMING), null);
  });
});

describe("what follows for the dependencies of a task", () => {
  it("is a correction of its status if that contradicts them", () => {
    for (const [task, isWaiting, isDue] of [
      [blockedTask(), true, false],
      [blockedTask(), false, true],
      [availableTask(), false, false],
      [availableTask(), true, true],
    ] as const) {
      const decision = followUp(situation(task, { isWaiting: () => isWaiting }), TIMING);
      assert.deepEqual(decision, isDue ? { kind: "settle_dependencies" } : null);
    }
  });

  it("is nothing while a session holds it", () => {
    assert.equal(ofClaim(LIVE, { isWaiting: () => true }), null);
  });
});

describe("what follows for a finished task", () => {
  it("is its removal after the retention time, unless another task needs it", () => {
    for (const status of ["complete", "failed", "cancelled"] as const) {
      const task = availableTask({ status, updatedAt: NOW - 60_000 });
      assert.deepEqual(followUp(situation(task), TIMING), { kind: "retire" });
      assert.equal(followUp(situation(task, { isNeeded: () => true }), TIMING), null);
      const later = { ...task, updatedAt: NOW - 59_999 };
      assert.equal(followUp(situation(later), TIMING), null);
      assert.equal(followUp(situation(task), { ...TIMING, retentionMs: Infinity }), null);
    }
  });
});

describe("what follows", () => {
  it("does not ask for what the decision does not need", () => {
    const isWaiting = (): never => assert.fail("isWaiting is not needed");
    const isNeeded = (): never => assert.fail("isNeeded is not needed");
    const finished = availableTask({ status: "complete", updatedAt: NOW });
    for (const task of [claimedTask(), finished]) {
      assert.equal(followUp(situation(task, { isWaiting, isNeeded }), TIMING), null);
    }
    assert.equal(followUp(situation(availableTask(), { isNeeded }), TIMING), null);
  });
});
