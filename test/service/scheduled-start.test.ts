/** Tasks that nobody can claim before a time that their creator or an update names. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

const FAR = "9999-12-31T23:59:59.999Z";

function soon(ms: number): string {
  return new Date(Date.now() + ms).toISOString();
}

describe("a task with not_before", () => {
  it("is handed to a parked request at its time, and to no session before", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 2 });
    const notBefore = soon(1_000);
    const { task } = await coordinator.ok("tasks.create.a", { not_before: notBefore });
    assert.deepEqual([task.status, task.not_before], ["available", notBefore]);
    const early = await coordinator.refused("tasks.claim.a", { session_id: "s1" });
    assert.deepEqual(
      [early.code, early.reason, early.not_before],
      ["not_available", "not_due", notBefore],
    );
    const none = await coordinator.ok("tasks.next", { session_id: "s1" });
    assert.deepEqual([none.reasons, none.next_due_at], [{ not_due: 1 }, notBefore]);

    const { claims } = await coordinator.ok("tasks.next", { session_id: "s1", wait_seconds: 30 });
    const claimed = claims[0].task;
    assert.deepEqual([claimed.task_id, claimed.not_before], ["a", null]);
    assert.ok(claimed.claimed_at >= notBefore, `${claimed.claimed_at} is after ${notBefore}`);
  });

  it("can be claimed at once if the time has passed", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a", { not_before: "2020-01-01T01:00:00+01:00" });
    const { task } = await coordinator.ok("tasks.get.a");
    assert.equal(task.not_before, "2020-01-01T00:00:00.000Z");
    await coordinator.ok("tasks.claim.a", { session_id: "s1" });
  });

  it("can wait for years, longer than any timer, without delaying other tasks", async () => {
    await using coordinator = await TestCoordinator.start();
    const inDays = soon(40 * 24 * 3_600_000);
    await coordinator.ok("tasks.create.never", { not_before: FAR });
    await coordinator.ok("tasks.create.later", { not_before: inDays });
    const waiting = coordinator.ok("tasks.next", { session_id: "s1", wait_seconds: 30 });
    await coordinator.ok("tasks.create.now", { not_before: soon(300) });
    const { claims } = await waiting;
    assert.equal(claims[0].task.task_id, "now");
    const none = await coordinator.ok("tasks.next", { session_id: "s2" });
    assert.equal(none.next_due_at, inDays);
    const { tasks } = await coordinator.ok("tasks.list", { prefix: "never" });
    assert.equal(tasks[0].not_before, FAR);
  });

  it("is refused with the name of the field if its time does not fit into a record", async () => {
    await using coordinator = await TestCoordinator.start();
    for (const time of ["tomorrow", "2026-01-31", "2026-01-31T09:00:00", 5]) {
      const error = await coordinator.refused("tasks.create.a", { not_before: time });
      assert.deepEqual([error.code, error.field], ["invalid_request", "not_before"]);
      assert.match(error.message, /must be an ISO-8601 time with Z or an offset/);
    }
    const beyond = { not_before: "9999-12-31T23:59:59-14:00" };
    const error = await coordinator.refused("tasks.create.a", beyond);
    assert.deepEqual([error.code, error.field], ["invalid_request", "not_before"]);
    assert.match(error.message, /years 0 to 9999/);
  });

  it("is put off, brought forward and cleared by updates, which parked requests follow", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    const { task } = await coordinator.ok("tasks.update.a", { not_before: FAR });
    assert.deepEqual([task.not_before, task.last_event.type], [FAR, "task_updated"]);
    const waiting = coordinator.ok("tasks.next", { session_id: "s1", wait_seconds: 30 });
    await coordinator.until("tasks.stats", ({ worker }: Json) => worker.waiting === 1);
    const cleared = await coordinator.ok("tasks.update.a", { not_before: null });
    assert.equal(cleared.task.not_before, null);
    assert.equal((await waiting).claims[0].task.task_id, "a");
  });

  it("keeps its time while it is blocked, and cannot be put off while it is claimed", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    await coordinator.ok("tasks.create.b", { depends_on: ["a"] });
    await coordinator.ok("tasks.update.b", { not_before: FAR });
    await coordinator.ok("tasks.claim.a", { session_id: "s1" });
    for (const not_before of [FAR, null]) {
      const held = await coordinator.refused("tasks.update.a", { not_before });
      assert.deepEqual([held.code, held.claimed_by], ["already_claimed", "s1"]);
    }
    await coordinator.ok("tasks.release.a", { session_id: "s1", status: "complete" });
    await coordinator.until("tasks.get.b", ({ task }: Json) => task.status === "available");
    const { task } = await coordinator.ok("tasks.get.b");
    assert.equal(task.not_before, FAR);
    const requeued = await coordinator.ok("tasks.requeue.b");
    assert.deepEqual([requeued.task.status, requeued.task.not_before], ["available", null]);
  });

  it("can be imported, and counts as unchanged when it is imported again with another time", async () => {
    await using coordinator = await TestCoordinator.start();
    const tasks = [{ task_id: "a", title: "A", not_before: soon(100) }];
    await coordinator.ok("tasks.import", { tasks });
    const { claims } = await coordinator.ok("tasks.next", { session_id: "s1", wait_seconds: 30 });
    assert.equal(claims[0].task.task_id, "a");
    for (const not_before of [FAR, null]) {
      const again = [{ task_id: "a", title: "A", not_before }];
      const reply = await coordinator.ok("tasks.import", { tasks: again });
      assert.deepEqual([reply.unchanged, reply.conflicting], [["a"], []]);
    }
  });
});
