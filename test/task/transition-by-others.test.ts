/** What others do to a task: update, cancel and requeue; and who counts as its holder. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { UpdateCommand } from "../../src/task/commands.ts";
import { holderRefusal } from "../../src/task/holder.ts";
import { LEASE_EXPIRED } from "../../src/task/task.ts";
import {
  assertRefused,
  assertUnchanged,
  availableTask,
  blockedTask,
  cancel,
  claim,
  claimedTask,
  expire,
  NOW,
  release,
  requeue,
  written,
} from "./sample-task.ts";

describe("updating", () => {
  it("changes the named parts of the definition and nothing else", () => {
    const before = availableTask({ tags: ["docs"] });
    const task = written(before, update({ title: "New", priority: 0 }));
    const { lastEvent } = task;
    assert.deepEqual(task, { ...before, title: "New", priority: 0, updatedAt: NOW, lastEvent });
    assert.deepEqual(
      [lastEvent?.type, lastEvent?.oldStatus, lastEvent?.newStatus, lastEvent?.sessionId],
      ["task_updated", "available", "available", "operator"],
    );
  });

  it("of the dependencies blocks or unblocks the task", () => {
    const blocked = written(availableTask(), update({ dependsOn: ["a"] }, ["a"]));
    assert.deepEqual([blocked.status, blocked.dependsOn], ["blocked", ["a"]]);
    const available = written(blockedTask(), update({ dependsOn: [] }));
    assert.deepEqual([available.status, available.lastEvent?.oldStatus], ["available", "blocked"]);
  });

  it("of a claimed task keeps its claim", () => {
    const task = written(claimedTask(), update({ description: "clearer" }));
    assert.deepEqual([task.status, task.claimedBy, task.attempt], ["claimed", "alice", 1]);
    assert.equal(task.lastEvent?.claimedBy, "alice");
  });

  it("of a claimed task's dependencies is refused", () => {
    assertRefused(claimedTask(), update({ dependsOn: ["a"] }, ["a"]), {
      code: "already_claimed",
      claimedBy: "alice",
    });
  });

  it("of the start schedules the task, and ends a delay, also of a blocked one", () => {
    for (const before of [availableTask(), blockedTask()]) {
      const task = written(before, update({ notBefore: NOW + 1 }));
      assert.deepEqual([task.status, task.notBefore], [before.status, NOW + 1]);
      assert.equal(written(task, update({ notBefore: null })).notBefore, null);
    }
    const due = written(blockedTask({ notBefore: NOW + 1 }), {
      type: "settle_dependencies",
      unmet: [],
    });
    assert.deepEqual([due.status, due.notBefore], ["available", NOW + 1]);
  });

  it("of a claimed task's start is refused", () => {
    for (const notBefore of [NOW + 1, null]) {
      assertRefused(claimedTask(), update({ notBefore }), {
        code: "already_claimed",
        claimedBy: "alice",
      });
    }
  });

  for (const status of ["complete", "failed", "cancelled"] as const) {
    it(`of a ${status} task is refused`, () => {
      assertRefused(availableTask({ status }), update({ title: "New" }), {
        code: "not_available",
        reason: status,
      });
    });
  }
});

describe("cancelling", () => {
  it("ends a task that nobody holds", () => {
    for (const before of [availableTask(), blockedTask()]) {
      const task = written(before, cancel({ reason: "obsolete" }));
      assert.equal(task.status, "cancelled");
      assert.deepEqual(
        [task.lastEvent?.type, task.lastEvent?.sessionId, task.lastEvent?.reason],
        ["task_cancelled", "operator", "obsolete"],
      );
    }
  });

  it("asks the holder of a claimed task to stop, once", () => {
    const asked = written(claimedTask(), cancel({ reason: "obsolete" }));
    assert.deepEqual(
      [asked.status, asked.claimedBy, asked.cancelRequested],
      ["claimed", "alice", true],
    );
    assert.deepEqual(
      [asked.lastEvent?.type, asked.lastEvent?.reason],
      ["task_cancel_requested", "obsolete"],
    );
    assertUnchanged(asked, cancel());
  });

  it("takes effect when the holder gives the task back, fails or loses its lease", () => {
    const asked = written(claimedTask(), cancel());
    const ends = [release("alice", "available"), release("alice", "failed"), expire()] as const;
    for (const end of ends) {
      const task = written(asked, end);
      assert.deepEqual(
        [task.status, task.cancelRequested, task.claimedBy, task.lastEvent?.type],
        ["cancelled", false, null, "task_cancelled"],
      );
      const reason = end.type === "expire" ? LEASE_EXPIRED : "stopped as asked";
      assert.equal(task.lastEvent?.reason, reason);
    }
  });

  it("comes too late for a holder that completes the task", () => {
    const task = written(written(claimedTask(), cancel()), release("alice", "complete"));
    assert.deepEqual([task.status, task.cancelRequested], ["complete", false]);
  });

  it("answers the holder's repeated release as the first one", () => {
    const asked = written(claimedTask(), cancel());
    for (const outcome of ["available", "failed"] as const) {
      const command = release("alice", outcome, { attempt: 1 });
      assertUnchanged(written(asked, command), command);
    }
  });

  it("by force takes the task from its holder at once", () => {
    for (const before of [claimedTask(), written(claimedTask(), cancel())]) {
      const task = written(before, cancel({ force: true, reason: "holder hangs" }));
      assert.deepEqual([task.status, task.claimedBy], ["cancelled", null]);
      assert.deepEqual(
        [task.lastEvent?.sessionId, task.lastEvent?.reason],
        ["alice", "holder hangs"],
      );
      assertRefused(task, release("alice", "complete", { attempt: 1 }), {
        code: "lease_lost",
        attempt: 1,
      });
    }
  });

  it("by force does not count as a release by the holder, which gets a refusal", () => {
    const task = written(claimedTask(), cancel({ force: true }));
    for (const outcome of ["available", "failed"] as const) {
      assertRefused(task, release("alice", outcome, { attempt: 1 }), {
        code: "lease_lost",
        attempt: 1,
      });
    }
  });

  it("a cancelled task changes nothing; another finished one is refused", () => {
    assertUnchanged(availableTask({ status: "cancelled" }), cancel({ force: true }));
    for (const status of ["complete", "failed"] as const) {
      assertRefused(availableTask({ status }), cancel(), { code: "not_available", reason: status });
    }
  });
});

describe("requeueing", () => {
  for (const status of ["complete", "failed", "cancelled"] as const) {
    it(`resets a ${status} task but goes on counting its attempts`, () => {
      const ended = availableTask({
        status,
        attempt: 3,
        failures: 3,
        lostLeases: 10,
        result: 1,
        error: "e",
        completedAt: NOW - 5,
        completedBy: "alice",
      });
      const task = written(ended, requeue({ reason: "again" }));
      assert.deepEqual(
        [task.status, task.attempt, task.failures, task.lostLeases, task.result, task.error],
        ["available", 3, 0, 0, null, null],
      );
      assert.deepEqual([task.completedAt, task.completedBy], [null, null]);
      assert.deepEqual(
        [task.lastEvent?.type, task.lastEvent?.oldStatus, task.lastEvent?.reason],
        ["task_requeued", status, "again"],
      );
      assert.equal(written(task, claim("bob")).attempt, 4);
    });
  }

  it("makes the task blocked when a dependency is incomplete", () => {
    const task = written(availableTask({ status: "complete" }), requeue({ unmet: ["a"] }));
    assert.deepEqual([task.status, task.lastEvent?.newStatus], ["blocked", "blocked"]);
  });

  it("takes a claimed task from its holder, whom the event names", () => {
    const task = written(claimedTask(), requeue());
    assert.deepEqual([task.status, task.claimedBy], ["available", null]);
    assert.equal(task.lastEvent?.sessionId, "alice");
  });

  it("ends the delay after a failure", () => {
    const failed = written(claimedTask(), release("alice", "failed"));
    const task = written(failed, requeue());
    assert.deepEqual([task.status, task.notBefore, task.failures], ["available", null, 0]);
  });

  it("forgets lost leases", () => {
    const task = written(written(claimedTask(), expire()), requeue());
    assert.deepEqual([task.status, task.lostLeases, task.error], ["available", 0, null]);
  });

  it("changes nothing for a new available task, and is refused for a blocked one", () => {
    assertUnchanged(availableTask(), requeue());
    assertRefused(blockedTask(), requeue({ unmet: ["P0.1.5"] }), {
      code: "not_available",
      reason: "blocked",
    });
  });
});

describe("whether a session holds a task", () => {
  const lost = { kind: "refused", refusal: { code: "lease_lost", attempt: 1 } };
  const notHolder = (claimedBy: string | null): object => ({
    kind: "refused",
    refusal: { code: "not_holder", claimedBy },
  });

  it("follows from the session and, if given, the attempt", () => {
    assert.equal(holderRefusal(claimedTask(), "alice", 1), null);
    assert.equal(holderRefusal(claimedTask(), "alice", null), null);
    assert.deepEqual(holderRefusal(claimedTask(), "alice", 2), lost);
    assert.deepEqual(holderRefusal(claimedTask(), "bob", 1), notHolder("alice"));
    assert.deepEqual(holderRefusal(claimedTask(), "bob", null), notHolder("alice"));
  });

  it("is not the same as whether it held the task before", () => {
    const given = written(claimedTask(), release("alice", "available"));
    assert.deepEqual(holderRefusal(given, "alice", 1), lost);
    assert.deepEqual(holderRefusal(given, "alice", null), lost);
    assert.deepEqual(holderRefusal(given, "bob", null), notHolder(null));
  });
});

function update(changes: UpdateCommand["changes"], unmet: readonly string[] = []): UpdateCommand {
  return { type: "update", sessionId: "operator", changes, unmet };
}
