import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

/** Makes task `a`, lets the registered session `s1` claim it, and asks for its cancellation. */
async function askedToStop(coordinator: TestCoordinator): Promise<{ attempt: number }> {
  await coordinator.ok("sessions.register.s1");
  await coordinator.ok("tasks.create.a");
  const { attempt } = await coordinator.ok("tasks.claim.a", { session_id: "s1" });
  const reply = await coordinator.ok("tasks.cancel.a", { session_id: "op", reason: "not needed" });
  assert.deepEqual([reply.task.status, reply.task.cancel_requested], ["claimed", true]);
  return { attempt };
}

describe("cancelling a task", () => {
  it("ends an unclaimed task at once, and records by whom and why", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.ready");
    await coordinator.ok("tasks.create.blocked", { depends_on: ["ready"] });
    for (const id of ["ready", "blocked"]) {
      const { task } = await coordinator.ok(`tasks.cancel.${id}`, {
        session_id: "op",
        reason: "out of scope",
      });
      const { type, old_status, session_id, reason } = task.last_event;
      assert.equal(task.status, "cancelled");
      assert.deepEqual([type, session_id, reason], ["task_cancelled", "op", "out of scope"]);
      assert.equal(old_status, id === "ready" ? "available" : "blocked");
    }
    const error = await coordinator.refused("tasks.claim.ready", { session_id: "s1" });
    assert.deepEqual([error.code, error.reason], ["not_available", "cancelled"]);
  });

  it("asks the holder to stop in the answers to its renewals and heartbeats", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("sessions.register.s1");
    await coordinator.ok("tasks.create.a");
    const { attempt } = await coordinator.ok("tasks.claim.a", { session_id: "s1" });
    const renewal = { session_id: "s1", attempt };
    assert.equal((await coordinator.ok("tasks.renew.a", renewal)).cancel_requested, false);
    await coordinator.ok("tasks.cancel.a");
    assert.equal((await coordinator.ok("tasks.renew.a", renewal)).cancel_requested, true);
    const heartbeat = await coordinator.ok("sessions.heartbeat.s1");
    assert.deepEqual(heartbeat.cancelled, ["a"]);
    assert.deepEqual(heartbeat.lost, []);
    assert.equal(heartbeat.claims[0].cancel_requested, true);
  });

  it("takes effect when the holder gives the task back or fails", async () => {
    for (const status of ["available", "failed"]) {
      await using coordinator = await TestCoordinator.start();
      const { attempt } = await askedToStop(coordinator);
      const release = { session_id: "s1", attempt, status };
      const { task, revision } = await coordinator.ok("tasks.release.a", release);
      assert.deepEqual([task.status, task.claimed_by], ["cancelled", null]);
      assert.equal(task.cancel_requested, undefined);
      assert.equal(task.last_event.type, "task_cancelled");
      // The holder did not receive the answer and sends the request again.
      assert.equal((await coordinator.ok("tasks.release.a", release)).revision, revision);
    }
  });

  it("has no effect if the holder completes the task", async () => {
    await using coordinator = await TestCoordinator.start();
    const { attempt } = await askedToStop(coordinator);
    const release = { session_id: "s1", attempt, status: "complete", result: 42 };
    const { task } = await coordinator.ok("tasks.release.a", release);
    assert.deepEqual([task.status, task.result], ["complete", 42]);
  });

  it("takes effect when the holder's lease runs out", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    await coordinator.ok("tasks.claim.a", { session_id: "s1", ttl_seconds: 1 });
    await coordinator.ok("tasks.cancel.a");
    await coordinator.fact("lease_expired");
    const { task } = await coordinator.ok("tasks.get.a");
    assert.deepEqual([task.status, task.last_event.reason], ["cancelled", "lease expired"]);
  });

  it("with force, takes the task from its holder at once", async () => {
    await using coordinator = await TestCoordinator.start();
    const { attempt } = await askedToStop(coordinator);
    const { task } = await coordinator.ok("tasks.cancel.a", { force: true, reason: "now" });
    assert.equal(task.status, "cancelled");
    const event = task.last_event;
    assert.deepEqual([event.old_status, event.session_id, event.reason], ["claimed", "s1", "now"]);
    const late = await coordinator.refused("tasks.release.a", {
      session_id: "s1",
      attempt,
      status: "complete",
    });
    assert.equal(late.code, "lease_lost");
    const heartbeat = await coordinator.ok("sessions.heartbeat.s1");
    assert.deepEqual([heartbeat.claims, heartbeat.cancelled], [[], ["a"]]);
    await coordinator.until("tasks.stats", (stats: Json) => stats.leases === 0);
  });

  it("is idempotent", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.free");
    await coordinator.ok("tasks.create.held");
    await coordinator.ok("tasks.claim.held", { session_id: "s1" });
    for (const id of ["free", "held"]) {
      const first = await coordinator.ok(`tasks.cancel.${id}`);
      const second = await coordinator.ok(`tasks.cancel.${id}`);
      assert.deepEqual([second.revision, second.task], [first.revision, first.task]);
    }
  });

  it("is refused for a task that has finished in another way", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    await coordinator.ok("tasks.claim.a", { session_id: "s1" });
    await coordinator.ok("tasks.release.a", { session_id: "s1", status: "complete" });
    const error = await coordinator.refused("tasks.cancel.a", { force: true });
    assert.deepEqual([error.code, error.reason], ["not_available", "complete"]);
    assert.equal((await coordinator.refused("tasks.cancel.none")).code, "not_found");
  });
});
