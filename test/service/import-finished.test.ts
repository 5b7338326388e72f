/** Imports of work that was completed or cancelled elsewhere. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Library } from "../support/library.ts";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

const DONE = {
  task_id: "done",
  title: "Done",
  status: "complete",
  result: { pages: 3 },
  completed_at: "2020-01-01T01:00:00+01:00",
  completed_by: "old-agent",
};

async function imported(coordinator: TestCoordinator, ...tasks: Json[]): Promise<Json> {
  return coordinator.ok("tasks.import", { tasks, session_id: "planner" });
}

describe("a task that is imported as complete", () => {
  it("is complete with its result from its first record on", async () => {
    await using coordinator = await TestCoordinator.start();
    const { created, warnings } = await imported(coordinator, DONE);
    assert.deepEqual([created, warnings], [["done"], []]);
    const { entries } = await coordinator.ok("tasks.history.done");
    assert.equal(entries.length, 1);
    const [{ task }] = entries;
    assert.deepEqual([task.status, task.result, task.attempt], ["complete", { pages: 3 }, 0]);
    assert.deepEqual(
      [task.completed_at, task.completed_by],
      ["2020-01-01T00:00:00.000Z", "old-agent"],
    );
    const { type, old_status, new_status, session_id } = task.last_event;
    assert.deepEqual(
      [type, old_status, new_status, session_id],
      ["task_created", null, "complete", "planner"],
    );
    const error = await coordinator.refused("tasks.claim.done", { session_id: "s1" });
    assert.deepEqual([error.code, error.reason], ["not_available", "complete"]);
  });

  it("counts as completed now by no session, unless the import says more", async () => {
    await using coordinator = await TestCoordinator.start();
    await imported(coordinator, { task_id: "a", status: "complete" });
    const { task } = await coordinator.ok("tasks.get.a");
    assert.deepEqual([task.result, task.completed_by], [null, null]);
    assert.ok(task.completed_at <= task.created_at && task.completed_at > "2025");
  });

  it("never blocks another task, wherever it is in the import", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 2 });
    const next = Array.from({ length: 50 }, (_, i) => ({
      task_id: `next-${i}`,
      depends_on: ["done"],
    }));
    // Its own dependencies do not matter.
    await imported(coordinator, ...next, { ...DONE, depends_on: ["missing"] });
    const { tasks } = await coordinator.ok("tasks.list", { prefix: "next-" });
    assert.equal(tasks.length, 50);
    for (const { status, last_event } of tasks as Json[]) {
      assert.deepEqual([status, last_event.type], ["available", "task_created"]);
    }
  });

  it("unblocks existing tasks that wait for it", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.waiting", { depends_on: ["done"] });
    await imported(coordinator, DONE);
    await coordinator.until("tasks.get.waiting", ({ task }) => task.status === "available");
  });

  it("is unchanged when it is imported again, and can be requeued", async () => {
    await using coordinator = await TestCoordinator.start();
    await imported(coordinator, DONE);
    const again = await imported(coordinator, { ...DONE, result: "another" });
    assert.deepEqual([again.unchanged, again.warnings], [["done"], []]);
    const { task } = await coordinator.ok("tasks.requeue.done");
    assert.deepEqual([task.status, task.result, task.completed_at], ["available", null, null]);
    const { unchanged, warnings } = await imported(coordinator, DONE);
    assert.deepEqual(unchanged, ["done"]);
    assert.deepEqual(warnings, [
      "task done exists and is available: an import does not make it complete",
    ]);
  });

  it("is kept for the retention time from its import, even if it was completed long ago", async () => {
    await using coordinator = await TestCoordinator.start({ settings: { retention_seconds: 1 } });
    const removed = coordinator.fact("task_removed");
    await imported(coordinator, DONE);
    const { task } = await coordinator.ok("tasks.get.done");
    await removed;
    assert.ok(Date.now() - Date.parse(task.updated_at) >= 1_000);
  });

  it("is reported to subscribers as created, with its status", async () => {
    await using coordinator = await TestCoordinator.start();
    await using library = await Library.connect(coordinator);
    const told = new Promise<Json>((resolve) => {
      void library.coordinator.subscribeTaskUpdates(resolve, { since: "beginning" });
    });
    await library.coordinator.tasks.importTasks([{ task_id: "a", status: "complete", result: 1 }]);
    const { type, new_status, task } = await told;
    assert.deepEqual([type, new_status, task.result], ["task_created", "complete", 1]);
  });
});

describe("a task that is imported as cancelled", () => {
  it("is cancelled, and the tasks that depend on it stay blocked", async () => {
    await using coordinator = await TestCoordinator.start();
    await imported(
      coordinator,
      { task_id: "a", status: "cancelled" },
      { task_id: "b", depends_on: ["a"] },
    );
    const { tasks } = await coordinator.ok("tasks.list");
    assert.deepEqual(
      tasks.map(({ task_id, status, completed_at }: Json) => [task_id, status, completed_at]),
      [
        ["a", "cancelled", null],
        ["b", "blocked", null],
      ],
    );
  });
});

describe("an import of finished tasks", () => {
  const refusals: readonly (readonly [Json, string, RegExp])[] = [
    [{ status: "failed" }, "status", /must be one of complete, cancelled/],
    [{ status: "cancelled", result: 1 }, "result", /goes with the status complete only/],
    [{ completed_at: DONE.completed_at }, "completed_at", /goes with the status complete only/],
    [{ status: "cancelled", completed_by: "s1" }, "completed_by", /complete only/],
    [{ status: "complete", not_before: "2030-01-01T00:00:00Z" }, "not_before", /to be done/],
    [{ status: "complete", completed_at: "yesterday" }, "completed_at", /ISO-8601/],
  ];

  it("is refused with the name of the field that does not fit", async () => {
    await using coordinator = await TestCoordinator.start();
    for (const [fields, name, message] of refusals) {
      const tasks = [{ task_id: "a", ...fields }];
      const error = await coordinator.refused("tasks.import", { tasks });
      assert.deepEqual([error.code, error.field], ["invalid_request", `tasks.0.${name}`]);
      assert.match(error.message, message);
    }
  });

  it("is for operators only: a create takes no status", async () => {
    await using coordinator = await TestCoordinator.start();
    const error = await coordinator.refused("tasks.create.a", { status: "complete" });
    assert.deepEqual([error.code, error.field], ["invalid_request", "status"]);
    const tasks = [{ task_id: "a", status: "complete" }];
    const agent = await coordinator.refused("agent.alice.tasks.import", { tasks });
    assert.equal(agent.code, "forbidden");
  });
});
