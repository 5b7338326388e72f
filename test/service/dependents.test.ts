import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CoordinatorError } from "../../src/protocol/errors.ts";
import { withFaults } from "../support/faulty-stores.ts";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

async function complete(coordinator: TestCoordinator, id: string): Promise<void> {
  await coordinator.ok(`tasks.claim.${id}`, { session_id: "s1" });
  await coordinator.ok(`tasks.release.${id}`, { session_id: "s1", status: "complete" });
}

function unblocked(coordinator: TestCoordinator, id: string): Promise<unknown> {
  return coordinator.fact(
    "task_written",
    ({ taskId, event }) => taskId === id && event === "task_unblocked",
  );
}

/** The stores of a worker that dies before it unblocks anything: that write never arrives. */
const diesBeforeUnblocking = withFaults({
  tasks: {
    write: (real) => (prepared, expectedRevision) =>
      prepared.task.lastEvent?.type === "task_unblocked"
        ? Promise.reject(new CoordinatorError("unavailable", "dead"))
        : real.write(prepared, expectedRevision),
  },
});

describe("the completion of a task", () => {
  it("makes tasks that wait for nothing else available within a second", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 3 });
    for (const id of ["a", "b"]) await coordinator.ok(`tasks.create.${id}`);
    await coordinator.ok("tasks.create.after-a", { depends_on: ["a"] });
    await coordinator.ok("tasks.create.after-both", { depends_on: ["a", "b"] });
    const free = unblocked(coordinator, "after-a");
    await complete(coordinator, "a");
    const completedAt = Date.now();
    await free;
    assert.ok(Date.now() - completedAt < 1_000);
    await coordinator.ok("tasks.claim.after-a", { session_id: "s1" });
    const error = await coordinator.refused("tasks.claim.after-both", { session_id: "s1" });
    assert.deepEqual(error.waits_for, ["b"]);
    const both = unblocked(coordinator, "after-both");
    await complete(coordinator, "b");
    await both;
  });

  it("answers a parked request with a task that it makes available", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 3 });
    await coordinator.ok("tasks.create.first");
    await coordinator.ok("tasks.create.second", { depends_on: ["first"] });
    await coordinator.ok("tasks.claim.first", { session_id: "s1" });
    const waiting = coordinator.ok("tasks.next", { session_id: "s2", wait_seconds: 10 });
    await coordinator.ok("tasks.release.first", { session_id: "s1", status: "complete" });
    assert.equal((await waiting).claims[0].task.task_id, "second");
  });

  it("unblocks each task exactly once with three workers, in diamonds and chains", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 3 });
    const middle = Array.from({ length: 20 }, (_, i) => `middle-${i}`);
    await coordinator.ok("tasks.import", {
      tasks: [
        { task_id: "top" },
        ...middle.map((task_id) => ({ task_id, depends_on: ["top"] })),
        { task_id: "bottom", depends_on: middle },
      ],
    });
    const all = Promise.all([...middle, "bottom"].map((id) => unblocked(coordinator, id)));
    for (let done = 0; done < 22;) {
      const { claims } = await coordinator.ok("tasks.next", {
        session_id: "s1",
        max: 20,
        wait_seconds: 10,
      });
      assert.ok(claims.length > 0);
      await Promise.all(
        claims.map((claim: Json) =>
          coordinator.ok(`tasks.release.${claim.task.task_id as string}`, {
            session_id: "s1",
            attempt: claim.attempt,
            status: "complete",
          }),
        ),
      );
      done += claims.length as number;
    }
    await all;
    for (const id of [...middle, "bottom"]) {
      assert.deepEqual(
        await coordinator.eventsOf(id),
        ["task_created", "task_unblocked", "task_claimed", "task_completed"],
        id,
      );
    }
  });

  it("is what unblocks: a failed or cancelled dependency unblocks nothing", async () => {
    await using coordinator = await TestCoordinator.start();
    for (const id of ["failed", "cancelled", "complete"]) {
      await coordinator.ok(`tasks.create.${id}`);
      await coordinator.ok(`tasks.create.after-${id}`, { depends_on: [id] });
    }
    await coordinator.ok("tasks.claim.failed", { session_id: "s1" });
    await coordinator.ok("tasks.release.failed", {
      session_id: "s1",
      status: "failed",
      retry: false,
    });
    await coordinator.ok("tasks.cancel.cancelled");
    const last = unblocked(coordinator, "after-complete");
    await complete(coordinator, "complete");
    await last;
    for (const id of ["failed", "cancelled"]) {
      assert.deepEqual(await coordinator.eventsOf(`after-${id}`), ["task_created"]);
    }
  });
});

describe("a dependency that does not exist yet", () => {
  it("unblocks its dependents when it is created and completed", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 2 });
    await coordinator.ok("tasks.create.a", { depends_on: ["later"] });
    const free = unblocked(coordinator, "a");
    await coordinator.ok("tasks.create.later");
    assert.equal((await coordinator.ok("tasks.get.a")).task.status, "blocked");
    await complete(coordinator, "later");
    await free;
    assert.equal((await coordinator.ok("tasks.get.a")).task.status, "available");
  });
});

describe("a worker that dies before it unblocks the tasks that it made ready", () => {
  it("is replaced by another worker, which unblocks them", async () => {
    await using coordinator = await TestCoordinator.start({ wrapStores: diesBeforeUnblocking });
    await coordinator.ok("tasks.create.a");
    await coordinator.ok("tasks.create.b", { depends_on: ["a"] });
    const real = await coordinator.addWorkers(1, { wrapStores: (stores) => stores });
    assert.equal(real.workerIds.length, 1);
    const free = unblocked(coordinator, "b");
    await complete(coordinator, "a");
    await free;
    await coordinator.ok("tasks.claim.b", { session_id: "s1" });
  });

  it("is replaced by the next worker that starts, which unblocks them", async () => {
    await using coordinator = await TestCoordinator.start({ wrapStores: diesBeforeUnblocking });
    await coordinator.ok("tasks.create.a");
    await coordinator.ok("tasks.create.b", { depends_on: ["a"] });
    await complete(coordinator, "a");
    assert.equal((await coordinator.ok("tasks.get.b")).task.status, "blocked");
    const free = unblocked(coordinator, "b");
    await coordinator.addWorkers(1, { wrapStores: (stores) => stores });
    await free;
    assert.deepEqual(await coordinator.eventsOf("b"), ["task_created", "task_unblocked"]);
  });
});
