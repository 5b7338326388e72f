/** The rules of the state machine that `transition.ts` describes, up to the end of an attempt. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createTask, DEFINITION_DEFAULTS } from "../../src/task/task.ts";
import {
  assertRefused,
  assertUnchanged,
  assertWithoutHolder,
  availableTask,
  blockedTask,
  claim,
  claimedTask,
  NOW,
  release,
  requeue,
  written,
} from "./sample-task.ts";

describe("creating a task", () => {
  it("makes it available, or blocked while a dependency is incomplete", () => {
    for (const blocked of [false, true]) {
      const task = createTask("a", DEFINITION_DEFAULTS, { blocked, sessionId: "s", now: NOW });
      assert.equal(task.status, blocked ? "blocked" : "available");
      assert.deepEqual(task.lastEvent, {
        type: "task_created",
        oldStatus: null,
        newStatus: task.status,
        claimedBy: null,
        sessionId: "s",
        reason: null,
        timestamp: NOW,
        principal: null,
      });
      assert.equal(task.attempt, 0);
    }
  });
});

describe("claiming", () => {
  it("gives an available task to the session under the next attempt", () => {
    const command = claim("alice", { ttlSeconds: 60, claimRequest: "request-1" });
    const task = written(availableTask({ attempt: 4 }), command);
    assert.deepEqual(
      [task.status, task.claimedBy, task.claimedAt, task.attempt],
      ["claimed", "alice", NOW, 5],
    );
    assert.deepEqual([task.ttlSeconds, task.claimRequest], [60, "request-1"]);
    assert.deepEqual(task.lastEvent, {
      type: "task_claimed",
      oldStatus: "available",
      newStatus: "claimed",
      claimedBy: "alice",
      sessionId: "alice",
      reason: null,
      timestamp: NOW,
      principal: null,
    });
  });

  it("changes nothing when the same session asks again", () => {
    assertUnchanged(claimedTask(), claim("alice"));
  });

  it("refuses another session and names the holder", () => {
    assertRefused(claimedTask(), claim("bob"), { code: "already_claimed", claimedBy: "alice" });
  });

  for (const status of ["blocked", "complete", "failed", "cancelled"] as const) {
    it(`refuses a ${status} task and says that it is ${status}`, () => {
      assertRefused(availableTask({ status }), claim("alice"), {
        code: "not_available",
        reason: status,
      });
    });
  }

  it("refuses a task that is not due, says when it will be, and accepts from then on", () => {
    assertRefused(availableTask({ notBefore: NOW + 1 }), claim("alice"), {
      code: "not_available",
      reason: "not_due",
      notBefore: NOW + 1,
    });
    assert.equal(written(availableTask({ notBefore: NOW }), claim("alice")).notBefore, null);
  });

  it("refuses a session that lacks capabilities, and names them in the task's order", () => {
    const task = availableTask({ requires: ["rust", "gpu", "git"] });
    assertRefused(task, claim("alice", { capabilities: ["gpu", "python"] }), {
      code: "missing_capabilities",
      missing: ["rust", "git"],
    });
    const able = claim("alice", { capabilities: ["git", "gpu", "rust", "python"] });
    assert.equal(written(task, able).status, "claimed");
  });
});

describe("releasing", () => {
  it("as complete ends the task and keeps its result and who completed it", () => {
    const before = claimedTask({ error: "of an earlier attempt" });
    const task = written(before, release("alice", "complete", { attempt: 1, result: { pr: 7 } }));
    assert.deepEqual([task.status, task.completedBy, task.completedAt], ["complete", "alice", NOW]);
    assert.deepEqual([task.result, task.error], [{ pr: 7 }, null]);
    assertWithoutHolder(task);
    assert.deepEqual(
      [task.lastEvent?.type, task.lastEvent?.oldStatus, task.lastEvent?.claimedBy],
      ["task_completed", "claimed", null],
    );
  });

  it("as available gives the task back, counts as no failure and delays nothing", () => {
    const task = written(claimedTask(), release("alice", "available"));
    assert.deepEqual(
      [task.status, task.failures, task.notBefore, task.attempt],
      ["available", 0, null, 1],
    );
    assert.equal(task.lastEvent?.type, "task_released");
    assertWithoutHolder(task);
  });

  it("as available delays the next claim as the holder asks, and keeps its cause", () => {
    const command = release("alice", "available", { notBefore: NOW + 5, reason: "no quota" });
    const task = written(claimedTask(), command);
    assert.deepEqual([task.status, task.failures, task.notBefore], ["available", 0, NOW + 5]);
    assert.deepEqual([task.lastEvent?.reason, task.error], ["no quota", null]);
    assertRefused(task, claim("bob"), {
      code: "not_available",
      reason: "not_due",
      notBefore: NOW + 5,
    });
    assertUnchanged(task, command);
    assertUnchanged(task, release("alice", "available", { notBefore: NOW + 9 }));
    assert.equal(written(task, claim("bob"), NOW + 5).notBefore, null);
  });

  it("as failed counts the failure and delays the next claim", () => {
    const task = written(claimedTask(), release("alice", "failed", { error: "no disk" }));
    assert.deepEqual([task.status, task.failures, task.error], ["available", 1, "no disk"]);
    assert.ok(task.notBefore !== null && task.notBefore > NOW && task.notBefore <= NOW + 1_000);
    assert.equal(task.lastEvent?.type, "task_attempt_failed");
    assertWithoutHolder(task);
  });

  it("as failed for the last time makes the task failed", () => {
    const task = written(claimedTask({ failures: 2 }), release("alice", "failed"));
    assert.deepEqual([task.status, task.failures, task.notBefore], ["failed", 3, null]);
    assert.equal(task.lastEvent?.type, "task_failed");
  });

  it("as failed without retry makes the task failed at once", () => {
    const task = written(claimedTask(), release("alice", "failed", { retry: false }));
    assert.deepEqual([task.status, task.failures], ["failed", 1]);
  });

  for (const outcome of ["available", "complete", "failed"] as const) {
    it(`as ${outcome} twice changes nothing the second time`, () => {
      for (const attempt of [1, null]) {
        const command = release("alice", outcome, { attempt });
        assertUnchanged(written(claimedTask(), command), command);
      }
    });

    it(`as ${outcome} is refused to another session, also with the right attempt`, () => {
      for (const attempt of [1, null]) {
        assertRefused(claimedTask(), release("bob", outcome, { attempt }), {
          code: "not_holder",
          claimedBy: "alice",
        });
      }
    });

    it(`as ${outcome} is refused under an attempt that is over`, () => {
      const again = claimedTask({ attempt: 2 });
      const lost = { code: "lease_lost", attempt: 2 } as const;
      assertRefused(again, release("alice", outcome, { attempt: 1 }), lost);
      assertRefused(again, release("bob", outcome, { attempt: 1 }), lost);
    });
  }

  it("to another status than the first time is refused", () => {
    const completed = written(claimedTask(), release("alice", "complete"));
    assertRefused(completed, release("alice", "failed", { attempt: 1 }), {
      code: "lease_lost",
      attempt: 1,
    });
  });

  it("a task that nobody claimed is refused", () => {
    assertRefused(availableTask(), release("alice", "complete"), {
      code: "not_holder",
      claimedBy: null,
    });
  });

  it("is refused after an operator requeued the task", () => {
    const requeued = written(claimedTask(), requeue());
    for (const attempt of [1, null]) {
      assertRefused(requeued, release("alice", "complete", { attempt }), {
        code: "lease_lost",
        attempt: 1,
      });
    }
  });
});

describe("dependencies", () => {
  it("unblock a blocked task when all are complete", () => {
    const task = written(blockedTask(), { type: "settle_dependencies", unmet: [] });
    assert.deepEqual([task.status, task.lastEvent?.type], ["available", "task_unblocked"]);
  });

  it("block an available task when one is incomplete again", () => {
    const task = written(availableTask(), { type: "settle_dependencies", unmet: ["P0.1.5"] });
    assert.deepEqual([task.status, task.lastEvent?.type], ["blocked", "task_blocked"]);
  });

  it("do not change a task that is claimed, finished or already in the right status", () => {
    assertUnchanged(blockedTask(), { type: "settle_dependencies", unmet: ["P0.1.5"] });
    assertUnchanged(availableTask(), { type: "settle_dependencies", unmet: [] });
    for (const status of ["claimed", "complete", "failed", "cancelled"] as const) {
      const task = availableTask({ status, claimedBy: status === "claimed" ? "alice" : null });
      assertUnchanged(task, { type: "settle_dependencies", unmet: ["P0.1.5"] });
      assertUnchanged(task, { type: "settle_dependencies", unmet: [] });
    }
  });
});
