import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { jetstreamManager } from "@nats-io/jetstream";
import { withFaults } from "../support/faulty-stores.ts";
import { HeldRemovals } from "../support/held-removals.ts";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

async function complete(coordinator: TestCoordinator, id: string): Promise<void> {
  await coordinator.ok(`tasks.claim.${id}`, { session_id: "s1" });
  await coordinator.ok(`tasks.release.${id}`, { session_id: "s1", status: "complete" });
}

function removed(coordinator: TestCoordinator, id: string): Promise<unknown> {
  return coordinator.fact("task_removed", ({ taskId }) => taskId === id);
}

describe("a finished task", () => {
  it("is removed with its history after the retention time, and its marker goes too", async () => {
    await using coordinator = await TestCoordinator.start({
      workers: 2,
      settings: { retention_seconds: 1 },
    });
    for (const id of ["complete", "cancelled", "failed", "unfinished"]) {
      await coordinator.ok(`tasks.create.${id}`);
    }
    const gone = Promise.all(
      ["complete", "cancelled", "failed"].map((id) => removed(coordinator, id)),
    );
    await complete(coordinator, "complete");
    await coordinator.ok("tasks.cancel.cancelled");
    await coordinator.ok("tasks.claim.failed", { session_id: "s1" });
    const { task } = await coordinator.ok("tasks.release.failed", {
      session_id: "s1",
      status: "failed",
      retry: false,
    });
    await gone;
    assert.ok(Date.now() >= Date.parse(task.updated_at as string) + 1_000);

    for (const id of ["complete", "cancelled", "failed"]) {
      for (const operation of ["get", "history"]) {
        const error = await coordinator.refused(`tasks.${operation}.${id}`);
        assert.equal(error.code, "not_found");
      }
    }
    const { tasks } = await coordinator.ok("tasks.list");
    assert.deepEqual(
      tasks.map((one: Json) => one.task_id),
      ["unfinished"],
    );

    const { streams } = await jetstreamManager(coordinator.connection);
    const { state } = await streams.info("KV_tasks", { subjects_filter: "$KV.tasks.complete" });
    assert.deepEqual(state.subjects, { "$KV.tasks.complete": 1 });
    const marker = await streams.getMessage("KV_tasks", { last_by_subj: "$KV.tasks.complete" });
    assert.equal(marker?.header.get("KV-Operation"), "PURGE");
    assert.match(marker.header.get("Nats-TTL"), /^[1-9]\d*s?$/);
  });

  it("can be created again", async () => {
    await using coordinator = await TestCoordinator.start({ settings: { retention_seconds: 1 } });
    await coordinator.ok("tasks.create.a", { title: "first" });
    const gone = removed(coordinator, "a");
    await complete(coordinator, "a");
    await gone;
    const { task } = await coordinator.ok("tasks.create.a", { title: "second" });
    assert.deepEqual([task.title, task.status, task.attempt], ["second", "available", 0]);
    const { entries } = await coordinator.ok("tasks.history.a");
    assert.deepEqual(
      entries.map((entry: Json) => entry.task?.title),
      [undefined, "second"],
    );
  });

  it("gets a higher fencing token when it is created and claimed again", async () => {
    await using coordinator = await TestCoordinator.start({ settings: { retention_seconds: 1 } });
    await coordinator.ok("tasks.create.a");
    const gone = removed(coordinator, "a");
    const first = await coordinator.ok("tasks.claim.a", { session_id: "s1" });
    await coordinator.ok("tasks.release.a", { session_id: "s1", status: "complete" });
    await gone;
    await coordinator.ok("tasks.create.a");
    const again = await coordinator.ok("tasks.claim.a", { session_id: "s2" });
    assert.deepEqual([first.attempt, again.attempt], [1, 1]);
    assert.ok(again.fencing_token > first.fencing_token);
    const { holds } = await coordinator.ok("tasks.verify.a", {
      fencing_token: first.fencing_token,
    });
    assert.equal(holds, false);
  });

  it("stays while an unfinished task depends on it, and is removed after that one", async () => {
    await using coordinator = await TestCoordinator.start({ settings: { retention_seconds: 1 } });
    for (const id of ["needed", "free"]) await coordinator.ok(`tasks.create.${id}`);
    await coordinator.ok("tasks.create.last", { depends_on: ["needed"] });
    const freeGone = removed(coordinator, "free");
    const neededGone = removed(coordinator, "needed");
    await complete(coordinator, "needed");
    await complete(coordinator, "free");
    await freeGone;
    assert.equal((await coordinator.ok("tasks.get.needed")).task.status, "complete");
    assert.equal((await coordinator.ok("tasks.get.last")).task.status, "available");
    await complete(coordinator, "last");
    await neededGone;
  });

  it("stays while a failed or cancelled task depends on it, because that may be requeued", async () => {
    await using coordinator = await TestCoordinator.start({ settings: { retention_seconds: 1 } });
    const removed: string[] = [];
    const neededGone = coordinator.fact("task_removed", ({ taskId }) => {
      removed.push(taskId);
      return taskId === "needed";
    });
    await coordinator.ok("tasks.create.needed");
    for (const id of ["failed", "cancelled"]) {
      await coordinator.ok(`tasks.create.${id}`, { depends_on: ["needed"] });
    }
    await complete(coordinator, "needed");
    await coordinator.ok("tasks.cancel.cancelled");
    await coordinator.until("tasks.claim.failed", ({ ok }) => ok === true, { session_id: "s1" });
    await coordinator.ok("tasks.release.failed", {
      session_id: "s1",
      status: "failed",
      retry: false,
    });
    await neededGone;
    assert.deepEqual(removed.slice(0, -1).sort(), ["cancelled", "failed"]);
    assert.equal(removed.at(-1), "needed");
  });

  it("is not removed by a worker whose retention time is 0", async () => {
    const removals: string[] = [];
    let years = 0;
    const clock = { now: (): number => Date.now() + years * 365 * 24 * 3_600_000 };
    await using coordinator = await TestCoordinator.start({
      clock,
      settings: { retention_seconds: 0 },
      wrapStores: withFaults({
        tasks: {
          purge: (real) => (taskId, revision) => {
            removals.push(taskId);
            return real.purge(taskId, revision);
          },
        },
      }),
    });
    await coordinator.ok("tasks.create.a");
    await complete(coordinator, "a");
    years = 5;
    // Another worker, with a retention time, shows when a round of removals is over.
    const gone = removed(coordinator, "a");
    await coordinator.addWorkers(1, {
      settings: { retention_seconds: 1 },
      wrapStores: (stores) => stores,
    });
    await gone;
    assert.deepEqual(removals, []);
  });
});

describe("a finished task that is requeued while it is being removed", () => {
  it("stays together with its history", async () => {
    const removals = new HeldRemovals();
    await using coordinator = await TestCoordinator.start(removals);
    for (const id of ["kept", "removed"]) {
      await coordinator.ok(`tasks.create.${id}`);
      await complete(coordinator, id);
    }
    await removals.begin(2);
    await coordinator.ok("tasks.requeue.kept");
    const gone = removed(coordinator, "removed");
    removals.goOn();
    await gone;
    const claim = await coordinator.ok("tasks.claim.kept", { session_id: "s2" });
    assert.equal(claim.attempt, 2);
    const { entries } = await coordinator.ok("tasks.history.kept");
    assert.deepEqual(
      entries.map(({ task }: Json) => task.status),
      ["available", "claimed", "complete", "available", "claimed"],
    );
  });
});

describe("a finished task on which a new one depends", () => {
  it("stays, even if its removal is under way or next", async () => {
    const removals = new HeldRemovals();
    await using coordinator = await TestCoordinator.start(removals);
    // One more task than are removed at a time.
    const ids = Array.from({ length: 17 }, (_, n) => `t${n}`);
    for (const id of ids) {
      await coordinator.ok(`tasks.create.${id}`);
      await complete(coordinator, id);
    }
    await removals.begin(16);
    const [underWay = "", ...others] = removals.begun;
    const [next = ""] = ids.filter((id) => !removals.begun.has(id));
    await coordinator.ok("tasks.create.new", { depends_on: [underWay, next] });
    const gone = Promise.all(others.map((id) => removed(coordinator, id)));
    removals.goOn();
    await gone;
    for (const id of [underWay, next]) {
      assert.equal((await coordinator.ok(`tasks.get.${id}`)).task.status, "complete");
    }
    assert.equal((await coordinator.ok("tasks.get.new")).task.status, "available");
    // Its removal began when the first of the others was removed.
    assert.equal(removals.begun.has(next), false);
  });
});
