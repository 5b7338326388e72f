import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

async function complete(coordinator: TestCoordinator, id: string): Promise<void> {
  await coordinator.ok(`tasks.claim.${id}`, { session_id: "s1" });
  await coordinator.ok(`tasks.release.${id}`, {
    session_id: "s1",
    status: "complete",
    result: "done",
  });
}

describe("requeueing a task", () => {
  it("returns a dead holder's claim to the pool, and the late holder is refused", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 2 });
    await coordinator.ok("tasks.create.a");
    const claim = await coordinator.ok("tasks.claim.a", { session_id: "dead", ttl_seconds: 3600 });
    const logged = coordinator.fact("requeued_by_operator");
    const { task } = await coordinator.ok("tasks.requeue.a", {
      session_id: "op",
      reason: "its machine is gone",
    });
    assert.deepEqual([task.status, task.claimed_by, task.attempt], ["available", null, 1]);
    assert.deepEqual([(await logged).taskId, (await logged).from], ["a", "dead"]);
    const { type, session_id, reason } = task.last_event;
    assert.deepEqual([type, session_id, reason], ["task_requeued", "dead", "its machine is gone"]);

    const late = { session_id: "dead", attempt: claim.attempt };
    const renewal = await coordinator.refused("tasks.renew.a", late);
    assert.equal(renewal.code, "lease_lost");
    const next = await coordinator.ok("tasks.claim.a", { session_id: "s2" });
    assert.equal(next.attempt, 2);
    const release = await coordinator.refused("tasks.release.a", { ...late, status: "complete" });
    assert.deepEqual([release.code, release.claimed_by], ["lease_lost", "s2"]);
    assert.equal((await coordinator.ok("tasks.verify.a", late)).holds, false);
  });

  it("purges the lease of the claim that it ends", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    const granted = coordinator.fact("lease_granted");
    await coordinator.ok("tasks.claim.a", { session_id: "dead" });
    await granted;
    await coordinator.ok("tasks.requeue.a");
    await coordinator.until("tasks.stats", (stats: Json) => stats.leases === 0);
  });

  it("brings a finished task back without a trace of its end", async () => {
    await using coordinator = await TestCoordinator.start();
    for (const id of ["complete", "failed", "cancelled"]) {
      await coordinator.ok(`tasks.create.${id}`, { max_failures: 1 });
    }
    await complete(coordinator, "complete");
    await coordinator.ok("tasks.claim.failed", { session_id: "s1" });
    await coordinator.ok("tasks.release.failed", {
      session_id: "s1",
      status: "failed",
      error: "broken",
    });
    await coordinator.ok("tasks.cancel.cancelled");
    for (const id of ["complete", "failed", "cancelled"]) {
      const { task } = await coordinator.ok(`tasks.requeue.${id}`);
      assert.equal(task.status, "available", id);
      const { result, error, completed_at, completed_by, failures } = task;
      assert.deepEqual(
        { result, error, completed_at, completed_by, failures },
        { result: null, error: null, completed_at: null, completed_by: null, failures: 0 },
      );
      const claim = await coordinator.ok(`tasks.claim.${id}`, { session_id: "s2" });
      assert.equal(claim.attempt, id === "cancelled" ? 1 : 2);
    }
  });

  it("blocks available tasks that depend on it until it is complete again", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 2 });
    await coordinator.ok("tasks.create.base");
    await complete(coordinator, "base");
    for (const id of ["waiting", "begun"]) {
      await coordinator.ok(`tasks.create.${id}`, { depends_on: ["base"] });
    }
    await coordinator.ok("tasks.claim.begun", { session_id: "s2" });
    const blocked = coordinator.fact("task_written", ({ event }) => event === "task_blocked");
    await coordinator.ok("tasks.requeue.base");
    assert.equal((await blocked).taskId, "waiting");
    const error = await coordinator.refused("tasks.claim.waiting", { session_id: "s3" });
    assert.deepEqual([error.reason, error.waits_for], ["blocked", ["base"]]);
    assert.equal((await coordinator.ok("tasks.get.begun")).task.status, "claimed");

    const unblocked = coordinator.fact("task_written", ({ event }) => event === "task_unblocked");
    await complete(coordinator, "base");
    assert.equal((await unblocked).taskId, "waiting");
  });

  it("leaves the task blocked if a dependency has become incomplete", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.base");
    await complete(coordinator, "base");
    await coordinator.ok("tasks.create.a", { depends_on: ["base"] });
    await complete(coordinator, "a");
    await coordinator.ok("tasks.requeue.base");
    assert.equal((await coordinator.ok("tasks.requeue.a")).task.status, "blocked");
  });

  it("ends the back-off after a failed attempt", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    await coordinator.ok("tasks.claim.a", { session_id: "s1" });
    await coordinator.ok("tasks.release.a", { session_id: "s1", status: "failed" });
    const error = await coordinator.refused("tasks.claim.a", { session_id: "s1" });
    assert.equal(error.reason, "not_due");
    await coordinator.ok("tasks.requeue.a");
    await coordinator.ok("tasks.claim.a", { session_id: "s1" });
  });

  it("is refused for a blocked task, and does not change a ready one", async () => {
    await using coordinator = await TestCoordinator.start();
    const ready = await coordinator.ok("tasks.create.ready");
    await coordinator.ok("tasks.create.blocked", { depends_on: ["ready"] });
    const error = await coordinator.refused("tasks.requeue.blocked");
    assert.deepEqual([error.code, error.reason], ["not_available", "blocked"]);
    const again = await coordinator.ok("tasks.requeue.ready");
    assert.equal(again.revision, ready.revision);
    assert.equal((await coordinator.refused("tasks.requeue.none")).code, "not_found");
  });
});
