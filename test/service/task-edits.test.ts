import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TestCoordinator } from "../support/test-coordinator.ts";

/** Claims the task for `s1` and releases it with this status. */
async function finish(
  coordinator: TestCoordinator,
  id: string,
  status: "complete" | "failed" = "complete",
): Promise<void> {
  await coordinator.ok(`tasks.claim.${id}`, { session_id: "s1" });
  await coordinator.ok(`tasks.release.${id}`, { session_id: "s1", status, retry: false });
}

describe("updating a task", () => {
  it("changes each field that is named, and no other", async () => {
    await using coordinator = await TestCoordinator.start();
    const { task: before } = await coordinator.ok("tasks.create.a", { title: "before" });
    const changes = {
      title: "after",
      description: "more",
      priority: 0,
      requires: ["gpu"],
      tags: ["docs"],
      metadata: { phase: 1 },
      payload: { steps: [1, 2] },
      max_failures: 9,
      max_lost_leases: 0,
    };
    let expected = before;
    for (const [field, value] of Object.entries(changes)) {
      const { task } = await coordinator.ok("tasks.update.a", {
        [field]: value,
        session_id: "planner",
      });
      const { updated_at, last_event } = task;
      expected = { ...expected, [field]: value, created_revision: 1, updated_at, last_event };
      assert.deepEqual(task, expected, field);
      assert.deepEqual([last_event.type, last_event.session_id], ["task_updated", "planner"]);
    }
    assert.deepEqual((await coordinator.ok("tasks.get.a")).task, expected);
  });

  it("clears a field with null if it may be empty, and otherwise ignores null", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a", { description: "text", payload: { a: 1 } });
    const { task } = await coordinator.ok("tasks.update.a", { description: null, payload: null });
    assert.deepEqual([task.description, task.payload], [null, null]);
    for (const field of ["title", "priority", "depends_on", "tags", "metadata", "max_failures"]) {
      const error = await coordinator.refused("tasks.update.a", { [field]: null });
      assert.equal(error.code, "invalid_request");
      assert.match(error.message, /nothing to update/);
    }
  });

  it("applies a new priority at once", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.first");
    await coordinator.ok("tasks.create.second");
    await coordinator.ok("tasks.update.second", { priority: 0 });
    const { claims } = await coordinator.ok("tasks.next", { session_id: "s1" });
    assert.equal(claims[0].task.task_id, "second");
  });

  it("blocks and unblocks the task with its dependencies", async () => {
    await using coordinator = await TestCoordinator.start();
    for (const id of ["open", "done", "a"]) await coordinator.ok(`tasks.create.${id}`);
    await finish(coordinator, "done");
    const blocked = await coordinator.ok("tasks.update.a", { depends_on: ["done", "open"] });
    const { type, old_status, new_status } = blocked.task.last_event;
    assert.deepEqual([type, old_status, new_status], ["task_updated", "available", "blocked"]);
    const error = await coordinator.refused("tasks.claim.a", { session_id: "s1" });
    assert.deepEqual(error.waits_for, ["open"]);

    const freed = await coordinator.ok("tasks.update.a", { depends_on: ["done"] });
    assert.equal(freed.task.status, "available");
    assert.equal(freed.task.last_event.type, "task_updated");
    await coordinator.ok("tasks.claim.a", { session_id: "s1" });
  });

  it("refuses dependencies that form a cycle, and names its path", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    await coordinator.ok("tasks.create.b", { depends_on: ["a"] });
    const error = await coordinator.refused("tasks.update.a", { depends_on: ["b"] });
    assert.deepEqual([error.code, error.cycle], ["invalid_request", ["a", "b", "a"]]);
    const { task } = await coordinator.ok("tasks.get.a");
    assert.deepEqual([task.status, task.depends_on], ["available", []]);
  });

  it("changes the fields of a claimed task, but not its dependencies", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    await coordinator.ok("tasks.create.b");
    const { attempt } = await coordinator.ok("tasks.claim.a", { session_id: "s1" });
    const { task } = await coordinator.ok("tasks.update.a", { title: "meanwhile" });
    assert.deepEqual([task.title, task.status, task.claimed_by], ["meanwhile", "claimed", "s1"]);
    const error = await coordinator.refused("tasks.update.a", { depends_on: ["b"] });
    assert.deepEqual([error.code, error.claimed_by], ["already_claimed", "s1"]);
    const done = await coordinator.ok("tasks.release.a", {
      session_id: "s1",
      attempt,
      status: "complete",
    });
    assert.equal(done.task.title, "meanwhile");
  });

  it("is refused for a finished task", async () => {
    await using coordinator = await TestCoordinator.start();
    for (const id of ["complete", "failed", "cancelled"])
      await coordinator.ok(`tasks.create.${id}`);
    await finish(coordinator, "complete");
    await finish(coordinator, "failed", "failed");
    await coordinator.ok("tasks.cancel.cancelled");
    for (const id of ["complete", "failed", "cancelled"]) {
      const { revision } = await coordinator.ok(`tasks.get.${id}`);
      const error = await coordinator.refused(`tasks.update.${id}`, { title: "too late" });
      assert.deepEqual([error.code, error.reason], ["not_available", id]);
      assert.match(error.message, new RegExp(`tasks.requeue.${id}`));
      assert.equal((await coordinator.ok(`tasks.get.${id}`)).revision, revision);
    }
  });

  it("with a revision, changes that revision only", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 2 });
    const { revision } = await coordinator.ok("tasks.create.a", { title: "one" });
    const second = await coordinator.ok("tasks.update.a", { title: "two", revision });
    const reply = await coordinator.request("tasks.update.a", { title: "three", revision });
    assert.deepEqual([reply.error.code, reply.error.retryable], ["conflict", true]);
    assert.match(reply.error.message, new RegExp(`revision ${second.revision}, not ${revision}`));
    assert.equal(reply.task.title, "two");
    await coordinator.ok("tasks.update.a", { title: "three", revision: second.revision });
  });

  it("with a revision, has one winner among simultaneous updates", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 3 });
    const { revision } = await coordinator.ok("tasks.create.a");
    const replies = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        coordinator.request("tasks.update.a", { title: `number ${i}`, revision }),
      ),
    );
    assert.equal(replies.filter((reply) => reply.ok).length, 1);
    const refused = replies.filter((reply) => !reply.ok);
    assert.ok(refused.every((reply) => reply.error.code === "conflict"));
  });

  it("lists the fields that it can change if none is named", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    const error = await coordinator.refused("tasks.update.a", { session_id: "s1" });
    assert.equal(error.code, "invalid_request");
    assert.match(error.message, /name at least one of title, description, .*max_failures/);
    assert.equal(
      (await coordinator.refused("tasks.update.none", { title: "x" })).code,
      "not_found",
    );
  });
});
