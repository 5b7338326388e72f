/** Dead ends: blocked tasks that stay blocked until somebody acts on their cause. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { CompactTask } from "../../src/protocol/compact-task.ts";
import { TaskIndex } from "../../src/service/task-index.ts";
import type { Task, TaskStatus } from "../../src/task/task.ts";
import { availableTask, NOW } from "../task/sample-task.ts";
import { Library } from "../support/library.ts";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

class Index {
  readonly tasks = new TaskIndex(() => NOW);
  #revision = 0;

  constructor() {
    this.tasks.current();
  }

  put(taskId: string, status: TaskStatus, dependsOn: string[] = []): void {
    const task: Task = availableTask({ taskId, status, dependsOn });
    this.tasks.entry(CompactTask.of(task, ++this.#revision));
  }

  remove(taskId: string): void {
    this.tasks.entry({ taskId, revision: ++this.#revision, removed: true });
  }

  causes(taskId: string): string[] {
    const task = this.tasks.get(taskId)?.task;
    return task === undefined ? [] : this.tasks.deadEnds.causesOf(task, 20);
  }

  /** The dead ends by definition, computed from all tasks each time. */
  expected(): Set<string> {
    const dead = new Set<string>();
    for (let size = -1; size < dead.size;) {
      size = dead.size;
      for (const { task } of this.tasks.values()) {
        const isDead = (id: string): boolean => {
          const status = this.tasks.get(id)?.task.status;
          return status === "failed" || status === "cancelled" || dead.has(id);
        };
        if (task.status === "blocked" && task.dependsOn.some(isDead)) dead.add(task.taskId);
      }
    }
    return dead;
  }
}

describe("dead ends", () => {
  it("are blocked tasks that depend on a failed or cancelled one, and name it", () => {
    const index = new Index();
    index.put("c", "blocked", ["b"]);
    index.put("b", "blocked", ["a", "other"]);
    index.put("a", "claimed");
    index.put("other", "available");
    assert.equal(index.tasks.deadEnds.size, 0);
    index.put("a", "failed");
    assert.deepEqual([index.causes("b"), index.causes("c")], [["a"], ["a"]]);
    index.put("other", "cancelled");
    assert.deepEqual(index.causes("b"), ["a", "other"]);
    index.put("a", "available");
    assert.deepEqual([index.causes("b"), index.causes("c")], [["other"], ["other"]]);
    index.remove("other");
    assert.equal(index.tasks.deadEnds.size, 0);
  });

  it("do not keep themselves alive in a cycle whose failed task is requeued", () => {
    const index = new Index();
    index.put("e", "blocked", ["a"]);
    index.put("a", "cancelled", ["e"]);
    assert.deepEqual(index.causes("e"), ["a"]);
    index.put("a", "blocked", ["e"]);
    assert.equal(index.tasks.deadEnds.size, 0);
  });

  it("match the definition after changes in any order", () => {
    const id = fc.constantFrom("a", "b", "c", "d", "e");
    const status = fc.constantFrom<TaskStatus>(
      "blocked",
      "blocked",
      "available",
      "failed",
      "cancelled",
    );
    const change = fc.record({
      id,
      status,
      dependsOn: fc.uniqueArray(id, { maxLength: 3 }),
      gone: fc.integer({ min: 0, max: 9 }),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
        const index = new Index();
        for (const { id: taskId, status: to, dependsOn, gone } of changes) {
          if (gone === 0) index.remove(taskId);
          else index.put(taskId, to, dependsOn);
          const expected = index.expected();
          assert.equal(index.tasks.deadEnds.size, expected.size);
          for (const each of expected) {
            assert.ok(index.tasks.deadEnds.has(each));
            assert.ok(index.causes(each).length > 0);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it("can be a chain of 100,000 tasks", () => {
    const index = new Index();
    for (let i = 1; i <= 100_000; i++) index.put(`t${i}`, "blocked", [`t${i - 1}`]);
    index.put("t0", "failed");
    assert.equal(index.tasks.deadEnds.size, 100_000);
    assert.deepEqual(index.causes("t100000"), ["t0"]);
    index.put("t0", "available");
    assert.equal(index.tasks.deadEnds.size, 0);
  });

  it("are named by claims, get, list and stats until the cause is requeued", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    await coordinator.ok("tasks.create.b", { depends_on: ["a"] });
    await coordinator.ok("tasks.create.c", { depends_on: ["b"] });
    await coordinator.ok("tasks.create.free");
    assert.deepEqual((await coordinator.ok("tasks.get.c")).dead_ends, []);
    await coordinator.ok("tasks.cancel.a");
    const error = await coordinator.refused("tasks.claim.c", { session_id: "s1" });
    assert.deepEqual([error.reason, error.waits_for, error.dead_ends], ["blocked", ["b"], ["a"]]);
    assert.match(error.message as string, /a failed or were cancelled, so it stays blocked/);
    assert.deepEqual((await coordinator.ok("tasks.get.c")).dead_ends, ["a"]);
    const ids = async (dead_end: boolean): Promise<string[]> => {
      const { tasks } = await coordinator.ok("tasks.list", { dead_end });
      return tasks.map((task: Json) => task.task_id);
    };
    assert.deepEqual(
      [await ids(true), await ids(false)],
      [
        ["b", "c"],
        ["a", "free"],
      ],
    );
    assert.equal((await coordinator.ok("tasks.stats")).dead_ends, 2);
    await coordinator.ok("tasks.requeue.a");
    assert.equal((await coordinator.ok("tasks.stats")).dead_ends, 0);
    const blocked = await coordinator.refused("tasks.claim.c", { session_id: "s1" });
    assert.equal("dead_ends" in blocked, false);
  });

  it("are reported by a worker that stops when idle, only among tasks that fit its filter", async () => {
    await using coordinator = await TestCoordinator.start();
    for (const root of ["x", "y"]) {
      await coordinator.ok(`tasks.create.${root}.a`, { max_failures: 1 });
      await coordinator.ok(`tasks.create.${root}.b`, { depends_on: [`${root}.a`] });
    }
    await using library = await Library.connect(coordinator);
    const options = { session: "s1", prefix: "x.", stopWhenIdle: true, waitSeconds: 0 };
    const worker = library.coordinator.work(options, () => {
      throw new Error("no");
    });
    await worker.done;
    assert.deepEqual(worker.deadEnds, ["x.b"]);
    assert.match(library.log.of("warn").join("\n"), /s1 ends and leaves tasks .*: 1, such as x\.b/);
    await coordinator.ok("tasks.cancel.y.a");
    const loop = { session: "s2", prefix: "y.", stopWhenIdle: true, waitSeconds: 0 };
    for await (const claim of library.coordinator.claims(loop)) await claim.release();
    assert.match(library.log.of("warn").join("\n"), /s2 ends and leaves tasks .*: 1, such as y\.b/);
  });
});
