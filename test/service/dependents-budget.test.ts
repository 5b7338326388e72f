import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CompactTask } from "../../src/protocol/compact-task.ts";
import { CoordinatorError } from "../../src/protocol/errors.ts";
import { DependentsBudget } from "../../src/service/dependents-budget.ts";
import { TaskIndex } from "../../src/service/task-index.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";
import { availableTask, blockedTask, NOW } from "../task/sample-task.ts";

/** The task `root`, with a chain of `long` blocked tasks above it. */
function chain(long: number): TaskIndex {
  const index = new TaskIndex(() => NOW);
  index.current();
  index.entry(CompactTask.of(availableTask({ taskId: "root" }), 1));
  for (let i = 0; i < long; i++) {
    const dependsOn = [i === 0 ? "root" : `t${i - 1}`];
    index.entry(CompactTask.of(blockedTask({ taskId: `t${i}`, dependsOn }), i + 2));
  }
  return index;
}

function isRefused(spend: () => void): boolean {
  try {
    spend();
    return false;
  } catch (error) {
    assert.ok(error instanceof CoordinatorError && error.code === "overloaded");
    return true;
  }
}

describe("the updates of a task on which many others depend", () => {
  it("are as many in a second as their dependents allow, for each sender", () => {
    let now = 0;
    const budget = new DependentsBudget(chain(40), { steady: () => now }, 100);
    const spend = (sender: string, id = "root") =>
      isRefused(() => {
        budget.spend(sender, id);
      });
    assert.deepEqual([spend("a"), spend("a"), spend("a")], [false, false, true]);
    assert.equal(spend("b"), false);
    // Few tasks are above this one, and none above the last.
    assert.equal(spend("a", "t30"), false);
    assert.equal(spend("a", "t39"), false);
    now += 400;
    assert.deepEqual([spend("a"), spend("a")], [false, true]);
  });

  it("are one in a second if they have more dependents than that", () => {
    let now = 0;
    const budget = new DependentsBudget(chain(500), { steady: () => now }, 100);
    const spend = () =>
      isRefused(() => {
        budget.spend("a", "root");
      });
    assert.deepEqual([spend(), spend()], [false, true]);
    now += 999;
    assert.equal(spend(), true);
    now += 1;
    assert.equal(spend(), false);
  });

  it("count each dependency, because a few tasks can have a great many", () => {
    const index = new TaskIndex(() => NOW);
    index.current();
    const ids = Array.from({ length: 20 }, (_, i) => `t${i}`);
    for (const [i, taskId] of ids.entries()) {
      index.entry(CompactTask.of(blockedTask({ taskId, dependsOn: ids.slice(0, i) }), i + 1));
    }
    const budget = new DependentsBudget(index, { steady: () => 0 }, 250);
    const spend = () =>
      isRefused(() => {
        budget.spend("a", "t0");
      });
    // 190 dependencies.
    assert.deepEqual([spend(), spend()], [false, true]);
  });

  it("are refused with overloaded, but not those of operators or of other fields", async () => {
    // Time stands still.
    await using coordinator = await TestCoordinator.start({ clock: { steady: () => 0 } });
    await coordinator.ok("agent.s1.tasks.create.root");
    for (let from = 0; from < 20_001; from += 1_000) {
      const tasks = Array.from({ length: 1_000 }, (_, i) => {
        return { task_id: `t${from + i}`, depends_on: ["root"] };
      });
      await coordinator.ok("operator.ann.tasks.import", { tasks });
    }
    await coordinator.ok("tasks.list", { limit: 1 });
    const update = { depends_on: ["unknown"] };
    await coordinator.ok("agent.s1.tasks.update.root", update);
    const refused = await coordinator.refused("agent.s1.tasks.update.root", { depends_on: [] });
    assert.equal(refused.code, "overloaded");
    assert.match(refused.message, /^many tasks depend on root, .*: wait a second/);
    await coordinator.ok("agent.s1.tasks.update.root", { title: "other" });
    await coordinator.ok("operator.ann.tasks.update.root", { depends_on: [] });
  });
});
