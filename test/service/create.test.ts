import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Kvm } from "@nats-io/kv";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

describe("creating a task", () => {
  it("answers with the record and all its defaults", async () => {
    await using coordinator = await TestCoordinator.start({
      settings: { max_failures: 5, max_lost_leases: 7 },
    });
    const { task, revision } = await coordinator.ok("tasks.create.P0.5.1", { title: "Docs" });
    assert.equal(revision, 1);
    assert.equal(task.created_at, task.updated_at);
    assert.deepEqual(task, {
      task_id: "P0.5.1",
      title: "Docs",
      description: null,
      priority: 2,
      depends_on: [],
      requires: [],
      tags: [],
      metadata: {},
      payload: null,
      max_failures: 5,
      max_lost_leases: 7,
      status: "available",
      claimed_by: null,
      claimed_at: null,
      attempt: 0,
      failures: 0,
      lost_leases: 0,
      not_before: null,
      result: null,
      error: null,
      created_at: task.created_at,
      updated_at: task.created_at,
      completed_at: null,
      completed_by: null,
      last_event: {
        type: "task_created",
        task_id: "P0.5.1",
        old_status: null,
        new_status: "available",
        claimed_by: null,
        session_id: null,
        reason: null,
        timestamp: task.created_at,
      },
    });
  });

  it("warns about dependencies that do not exist, and suggests an id that differs only in case", async () => {
    await using coordinator = await TestCoordinator.start();
    const known = await coordinator.ok("tasks.create.P0.1.1");
    assert.deepEqual(known.warnings, []);
    const created = await coordinator.ok("tasks.create.b", { depends_on: ["P0.1.1", "p0.1.1"] });
    const says = "task b depends on p0.1.1, which does not exist (did you mean P0.1.1?): ";
    assert.equal(created.warnings.length, 1);
    assert.ok(created.warnings[0].startsWith(says), created.warnings[0]);
    const updated = await coordinator.ok("tasks.update.b", { depends_on: ["none"] });
    assert.match(
      updated.warnings[0] as string,
      /^task b depends on none, which does not exist: it/,
    );
    assert.deepEqual((await coordinator.ok("tasks.update.b", { priority: 1 })).warnings, []);
    // Also an id of a task that was created after the first warning.
    await coordinator.ok("tasks.create.Later");
    const late = await coordinator.ok("tasks.create.c", { depends_on: ["later"] });
    assert.match(late.warnings[0] as string, /did you mean Later/);
  });

  it("makes an id if none is given, and a different one through each worker", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 3 });
    const replies = await Promise.all(
      Array.from({ length: 50 }, () => coordinator.ok("tasks.create", { title: "no name" })),
    );
    const ids = new Set(replies.map(({ task }) => task.task_id as string));
    assert.equal(ids.size, 50);
    const [first = ""] = ids;
    assert.equal((await coordinator.ok(`tasks.get.${first}`)).task.title, "no name");
  });

  it("takes the id from the subject or the body, but refuses two different ones", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create", { task_id: "from.body" });
    assert.equal((await coordinator.ok("tasks.get.from.body")).task.task_id, "from.body");
    await coordinator.ok("tasks.create.same", { task_id: "same" });
    const error = await coordinator.refused("tasks.create.one", { task_id: "other" });
    assert.deepEqual([error.code, error.field], ["invalid_request", "task_id"]);
    assert.match(error.message, /one.*other.*name the task once/);
    assert.equal((await coordinator.refused("tasks.get.one")).code, "not_found");
  });

  it("refuses an id that exists, and shows its task", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 2 });
    const first = await coordinator.ok("tasks.create.a", { title: "first" });
    const reply = await coordinator.request("tasks.create.a", { title: "second" });
    assert.equal(reply.ok, false);
    assert.deepEqual([reply.error.code, reply.error.retryable], ["already_exists", false]);
    assert.equal(reply.task.title, "first");
    const now = await coordinator.ok("tasks.get.a");
    assert.deepEqual([now.task.title, now.revision], ["first", first.revision]);
  });

  it("succeeds once among simultaneous creations with one id", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 3 });
    const replies = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        coordinator.request("tasks.create.a", { title: `number ${i}` }),
      ),
    );
    const winners = replies.filter((reply) => reply.ok);
    assert.equal(winners.length, 1);
    for (const reply of replies.filter(({ ok }) => !ok)) {
      assert.equal(reply.error.code, "already_exists");
      assert.equal(reply.task.title, winners[0]?.task.title);
    }
  });

  it("leaves the task blocked while a dependency is incomplete or does not exist", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.open");
    const created = await coordinator.ok("tasks.create.a", { depends_on: ["open", "unknown"] });
    assert.equal(created.task.status, "blocked");
    const error = await coordinator.refused("tasks.claim.a", { session_id: "s1" });
    assert.deepEqual([error.reason, error.waits_for], ["blocked", ["open", "unknown"]]);
  });

  it("leaves the task available when its dependencies are complete", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.done");
    await coordinator.ok("tasks.claim.done", { session_id: "s1" });
    await coordinator.ok("tasks.release.done", { session_id: "s1", status: "complete" });
    const { task } = await coordinator.ok("tasks.create.a", { depends_on: ["done"] });
    assert.equal(task.status, "available");
  });

  it("refuses dependencies that form a cycle, and names the path", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a", { depends_on: ["b"] });
    await coordinator.ok("tasks.create.b", { depends_on: ["c"] });
    const error = await coordinator.refused("tasks.create.c", { depends_on: ["a"] });
    assert.deepEqual([error.code, error.field], ["invalid_request", "depends_on"]);
    assert.deepEqual(error.cycle, ["c", "a", "b", "c"]);
    assert.match(error.message, /c -> a -> b -> c: remove one of them/);
    assert.equal((await coordinator.refused("tasks.get.c")).code, "not_found");
    const self = await coordinator.refused("tasks.create.d", { depends_on: ["d"] });
    assert.deepEqual(self.cycle, ["d", "d"]);
  });

  it("orders ready tasks by priority, then by creation", async () => {
    await using coordinator = await TestCoordinator.start();
    for (const [id, priority] of Object.entries({ z: 2, late: 4, y: 2, urgent: 0, x: 2 })) {
      await coordinator.ok(`tasks.create.${id}`, { priority });
    }
    const order: string[] = [];
    for (let i = 0; i < 5; i++) {
      const { claims } = await coordinator.ok("tasks.next", { session_id: "s1" });
      order.push(claims[0].task.task_id as string);
    }
    assert.deepEqual(order, ["urgent", "z", "y", "x", "late"]);
  });
});

describe("a record that was put into the bucket by hand", () => {
  it("is a task with all defaults, and can be claimed at once", async () => {
    await using coordinator = await TestCoordinator.start();
    const bucket = await new Kvm(coordinator.connection).open("tasks");
    const revision = await bucket.put("by.hand", '{"title":"written by a person"}');
    const claim = await coordinator.ok("tasks.claim.by.hand", { session_id: "s1" });
    assert.equal(claim.attempt, 1);
    const { title, priority, max_failures, created_revision } = claim.task;
    assert.deepEqual(
      [title, priority, max_failures, created_revision],
      ["written by a person", 2, 3, revision],
    );
    assert.ok(Math.abs(Date.parse(claim.task.created_at) - Date.now()) < 60_000);
  });

  it("is handed out by next, and listed", async () => {
    await using coordinator = await TestCoordinator.start();
    const bucket = await new Kvm(coordinator.connection).open("tasks");
    await bucket.put("empty", "{}");
    const { tasks } = await coordinator.ok("tasks.list");
    assert.deepEqual(
      tasks.map((task: Json) => [task.task_id, task.status]),
      [["empty", "available"]],
    );
    const { claims } = await coordinator.ok("tasks.next", { session_id: "s1" });
    assert.equal(claims[0].task.task_id, "empty");
  });

  it("waits for its dependencies like any other task", async () => {
    await using coordinator = await TestCoordinator.start();
    const bucket = await new Kvm(coordinator.connection).open("tasks");
    await coordinator.ok("tasks.create.first");
    await bucket.put("second", '{"depends_on":["first"]}');
    const error = await coordinator.refused("tasks.claim.second", { session_id: "s1" });
    assert.deepEqual([error.reason, error.waits_for], ["blocked", ["first"]]);
    await coordinator.ok("tasks.claim.first", { session_id: "s1" });
    const unblocked = coordinator.fact("task_written", (fact) => fact.event === "task_unblocked");
    await coordinator.ok("tasks.release.first", { session_id: "s1", status: "complete" });
    assert.equal((await unblocked).taskId, "second");
  });

  it("keeps fields that the service does not know", async () => {
    await using coordinator = await TestCoordinator.start();
    const bucket = await new Kvm(coordinator.connection).open("tasks");
    const extra = { sprint: 7, links: [{ to: "https://example.org" }] };
    await bucket.put("a", JSON.stringify({ title: "A", ...extra }));
    await coordinator.ok("tasks.claim.a", { session_id: "s1" });
    await coordinator.ok("tasks.release.a", { session_id: "s1", status: "available" });
    await coordinator.ok("tasks.update.a", { priority: 1 });
    const stored: Json = (await bucket.get("a"))?.json();
    assert.deepEqual({ sprint: stored.sprint, links: stored.links }, extra);
    assert.deepEqual([stored.title, stored.priority, stored.attempt], ["A", 1, 1]);
  });
});
