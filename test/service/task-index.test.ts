import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CompactTask } from "../../src/protocol/compact-task.ts";
import { type TaskChange, TaskIndex } from "../../src/service/task-index.ts";
import type { Task } from "../../src/task/task.ts";
import { availableTask, blockedTask, claimedTask, NOW } from "../task/sample-task.ts";

const ALL = { capabilities: [], tags: [], prefix: "" };

function currentIndex(): TaskIndex {
  const index = new TaskIndex(() => NOW);
  index.current();
  return index;
}

function deliver(index: TaskIndex, revision: number, task: Task): void {
  index.entry(CompactTask.of(task, revision));
}

function complete(overrides: Partial<Task>): Task {
  return availableTask({ status: "complete", ...overrides });
}

describe("the index of tasks", () => {
  it("counts the tasks by status as they change", () => {
    const index = currentIndex();
    deliver(index, 1, availableTask({ taskId: "a" }));
    deliver(index, 2, blockedTask({ taskId: "b" }));
    deliver(index, 3, claimedTask({ taskId: "a" }));
    const { available, blocked, claimed } = index.counts();
    assert.deepEqual([available, blocked, claimed, index.size], [0, 1, 1, 2]);
    index.entry({ taskId: "a", revision: 4, removed: true });
    assert.deepEqual([index.counts().claimed, index.size], [0, 1]);
  });

  it("knows what a request has claimed, and takes no request of another session for it", () => {
    const index = currentIndex();
    const claimRequest = "parked:alice";
    for (const [i, claimedBy] of ["mallory", "alice", "mallory.alice"].entries()) {
      deliver(index, i + 1, claimedTask({ taskId: `t${i}`, claimedBy, claimRequest }));
    }
    assert.deepEqual([...index.claimedFor("alice", claimRequest)], ["t1"]);
    deliver(index, 4, availableTask({ taskId: "t1", claimRequest }));
    assert.deepEqual([...index.claimedFor("alice", claimRequest)], []);
  });

  it("knows the ready tasks, the holders, and the dependents", () => {
    const index = currentIndex();
    deliver(index, 1, availableTask({ taskId: "a" }));
    deliver(index, 2, blockedTask({ taskId: "b", dependsOn: ["a"] }));
    const ready = (): string[] => index.ready.best(9, ALL).map((task) => task.taskId);
    assert.deepEqual(ready(), ["a"]);
    assert.deepEqual([...index.dependents.get("a")], ["b"]);

    deliver(index, 3, claimedTask({ taskId: "a", claimedBy: "s1" }));
    assert.deepEqual(ready(), []);
    assert.deepEqual([...index.claims.get("s1")], ["a"]);

    deliver(index, 4, complete({ taskId: "a" }));
    assert.equal(index.claims.get("s1").size, 0);
    assert.ok(index.isComplete("a"));
    deliver(index, 5, availableTask({ taskId: "b", dependsOn: [] }));
    assert.deepEqual(ready(), ["b"]);
    assert.equal(index.dependents.get("a").size, 0);
  });

  it("keeps a reserved task out of the queue until it is freed, even if it changes", () => {
    const index = currentIndex();
    deliver(index, 1, availableTask({ taskId: "a" }));
    index.reserve("a");
    assert.deepEqual([index.ready.size, index.readyTask("a")], [0, null]);
    deliver(index, 2, claimedTask({ taskId: "a" }));
    deliver(index, 3, availableTask({ taskId: "a", priority: 4 }));
    assert.equal(index.ready.size, 0);
    index.free("a");
    assert.deepEqual([index.ready.size, index.readyTask("a")?.priority], [1, 4]);

    index.reserve("a");
    deliver(index, 4, claimedTask({ taskId: "a" }));
    index.free("a");
    assert.equal(index.ready.size, 0);
    index.free("unknown");
  });

  it("keeps a task that is set aside out of the queue until it changes", () => {
    const index = currentIndex();
    deliver(index, 1, availableTask({ taskId: "a" }));
    index.reserve("a");
    index.setAside("a");
    index.free("a");
    assert.deepEqual([index.ready.size, index.readyTask("a")], [0, null]);
    deliver(index, 2, availableTask({ taskId: "a" }));
    assert.deepEqual([index.ready.size, index.readyTask("a")?.taskId], [1, "a"]);
  });

  it("lists the tasks in the order of their creation, and finished ones in the order of their end", () => {
    const index = currentIndex();
    deliver(index, 10, complete({ taskId: "b", createdRevision: 2, updatedAt: NOW }));
    deliver(index, 11, complete({ taskId: "a", createdRevision: 3, updatedAt: NOW - 5 }));
    deliver(index, 12, availableTask({ taskId: "c", createdRevision: 1 }));
    const idsOf = (tasks: Iterable<CompactTask>): string[] => [...tasks].map((task) => task.taskId);
    assert.deepEqual(idsOf(index.byCreation), ["c", "b", "a"]);
    assert.deepEqual(idsOf(index.finished), ["a", "b"]);
  });

  it("tells its listeners of each change the task before and after", () => {
    const index = currentIndex();
    const changes: TaskChange[] = [];
    index.onChange((change) => changes.push(change));
    deliver(index, 1, availableTask({ taskId: "a" }));
    deliver(index, 2, claimedTask({ taskId: "a" }));
    index.entry({ taskId: "a", revision: 3, removed: true });
    index.entry({ taskId: "a", revision: 4, removed: true });
    assert.deepEqual(
      changes.map(({ before, after }) => [before?.status, after?.status]),
      [
        [undefined, "available"],
        ["available", "claimed"],
        ["claimed", undefined],
      ],
    );
  });

  it("takes in its own write before the watch delivers it, and only once", () => {
    const index = currentIndex();
    let changes = 0;
    index.onChange(() => changes++);
    const task = availableTask({ taskId: "a" });
    index.apply(task, 5, 0);
    assert.equal(index.get("a")?.task.createdRevision, 5);
    deliver(index, 5, { ...task, createdRevision: 5 });
    assert.deepEqual([changes, index.position.revision], [1, 5]);
  });

  it("is not set back by entries and writes that come late", () => {
    const index = currentIndex();
    index.apply(claimedTask({ taskId: "a" }), 5, 0);
    index.apply(availableTask({ taskId: "a" }), 4, 0);
    deliver(index, 3, availableTask({ taskId: "a" }));
    assert.equal(index.get("a")?.task.status, "claimed");

    index.entry({ taskId: "a", revision: 6, removed: true });
    index.apply(claimedTask({ taskId: "a" }), 5, 0);
    assert.equal(index.get("a"), undefined);
  });

  it("counts values that are not tasks separately until they become tasks", () => {
    const index = currentIndex();
    deliver(index, 1, availableTask({ taskId: "a" }));
    index.entry({ taskId: "a", revision: 2, corrupt: "not JSON" });
    assert.deepEqual([index.corruptCount, index.get("a"), index.ready.size], [1, undefined, 0]);
    deliver(index, 3, availableTask({ taskId: "a" }));
    assert.deepEqual([index.corruptCount, index.ready.size], [0, 1]);
  });
});

describe("the index of tasks after a lost connection", () => {
  it("drops tasks that are gone, even without a marker", () => {
    const index = currentIndex();
    deliver(index, 1, availableTask({ taskId: "gone" }));
    deliver(index, 2, availableTask({ taskId: "there" }));
    index.restarted();
    assert.equal(index.isCurrent, false);
    deliver(index, 2, availableTask({ taskId: "there" }));
    assert.equal(index.size, 2);
    index.current();
    assert.deepEqual([index.size, index.get("gone")], [1, undefined]);
  });

  it("believes a store that was restored from a backup", () => {
    const index = currentIndex();
    deliver(index, 7, claimedTask({ taskId: "a" }));
    index.restarted();
    deliver(index, 3, availableTask({ taskId: "a" }));
    index.current();
    assert.equal(index.get("a")?.task.status, "available");
  });

  it("keeps its own write from the time in which the watch begins", () => {
    const index = currentIndex();
    index.restarted();
    index.apply(availableTask({ taskId: "own" }), 9, 0);
    index.current();
    assert.equal(index.get("own")?.revision, 9);
  });

  it("tells its listeners each time it becomes current", () => {
    const index = new TaskIndex(() => NOW);
    let times = 0;
    index.onCurrent(() => times++);
    index.current();
    index.restarted();
    assert.deepEqual([times, index.isCurrent], [1, false]);
    index.current();
    assert.deepEqual([times, index.isCurrent], [2, true]);
  });
});
