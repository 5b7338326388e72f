import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { endOfClaim } from "../../src/task/holder.ts";
import { SESSION_REPLACED } from "../../src/task/task.ts";
import {
  assertRefused,
  assertUnchanged,
  assertWithoutHolder,
  cancel,
  claim,
  claimedTask,
  availableTask,
  release,
  replaceSession,
  revive,
  written,
} from "./sample-task.ts";

describe("a claim whose session was replaced", () => {
  it("returns the task to the pool at once, and counts as no failure", () => {
    const before = claimedTask({ failures: 1, error: "before" });
    const task = written(before, replaceSession());
    assertWithoutHolder(task);
    assert.deepEqual([task.status, task.failures, task.notBefore], ["available", 1, null]);
    assert.equal(task.lostLeases, 0);
    assert.deepEqual([task.error, task.attempt], ["before", 1]);
    const { type, sessionId, reason } = task.lastEvent ?? {};
    assert.deepEqual([type, sessionId, reason], ["task_released", "alice", SESSION_REPLACED]);
    assert.equal(endOfClaim(task.lastEvent), "replaced");
  });

  it("ends with any epoch of its lease, but no other attempt ends", () => {
    const revived = written(claimedTask(), revive("alice"));
    assert.equal(written(revived, replaceSession()).status, "available");
    assertUnchanged(claimedTask(), replaceSession({ attempt: 2 }));
    assertUnchanged(written(claimedTask(), replaceSession()), replaceSession());
  });

  it("becomes cancelled if it was asked to stop", () => {
    const task = written(written(claimedTask(), cancel()), replaceSession());
    assert.deepEqual([task.status, task.lastEvent?.reason], ["cancelled", SESSION_REPLACED]);
    assert.equal(endOfClaim(task.lastEvent), "replaced");
  });

  it("can no longer be released, and no release counts as a repeated one", () => {
    const lost = { code: "lease_lost", attempt: 1 } as const;
    const returned = written(claimedTask(), replaceSession());
    assertRefused(returned, release("alice", "available", { attempt: 1 }), lost);
    const cancelled = written(written(claimedTask(), cancel()), replaceSession());
    assertRefused(cancelled, release("alice", "failed", { attempt: 1 }), lost);
  });
});

describe("the instance of a claim", () => {
  const held = written(availableTask(), claim("alice", { instance: "i1" }));

  it("is kept with the claim, and ends with it", () => {
    assert.equal(held.claimInstance, "i1");
    assert.equal(written(held, release("alice", "available")).claimInstance, null);
  });

  it("tells a repeated claim from the claim of another process", () => {
    const refusal = { code: "already_claimed", claimedBy: "alice", isOtherInstance: true } as const;
    assertUnchanged(held, claim("alice", { instance: "i1" }));
    assertUnchanged(held, claim("alice"));
    assertRefused(held, claim("alice", { instance: "i2" }), refusal);
    assertRefused(claimedTask(), claim("alice", { instance: "i2" }), refusal);
  });

  it("is compared when a release names one", () => {
    const complete = (instance: string | null): ReturnType<typeof release> =>
      release("alice", "complete", { instance });
    const refusal = { code: "not_holder", claimedBy: "alice", isOtherInstance: true } as const;
    assertRefused(held, complete("i2"), refusal);
    for (const instance of ["i1", null]) {
      assert.equal(written(held, complete(instance)).status, "complete");
    }
    assert.equal(written(claimedTask(), complete("i2")).status, "complete");
  });
});
