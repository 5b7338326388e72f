/** When a wait for a group of tasks asks for a list again. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseCondition } from "../../../src/cli/wait/condition.ts";
import { TaskGroup } from "../../../src/cli/wait/task-group.ts";

function group(condition = "finished", any = false): TaskGroup {
  return new TaskGroup(parseCondition(condition), any);
}

/** A list that takes no time. */
function list(tasks: TaskGroup, open: readonly string[]): void {
  assert.ok(tasks.mustList);
  tasks.beginList();
  tasks.endList(open);
}

describe("a wait for a group of tasks", () => {
  it("asks again when all tasks of the last list are settled, and not before", () => {
    const tasks = group();
    list(tasks, ["a", "b", "c"]);
    tasks.update("a", "claimed");
    tasks.update("a", "complete");
    tasks.update("b", "failed");
    assert.equal(tasks.mustList, false);
    tasks.settle("c");
    assert.equal(tasks.mustList, true);
  });

  it("asks again at once if the updates came before the list", () => {
    const tasks = group();
    tasks.beginList();
    tasks.update("a", "complete");
    tasks.endList(["a"]);
    assert.equal(tasks.mustList, true);
  });

  it("asks at once if a task cannot fulfil the condition any more", () => {
    const tasks = group("complete");
    list(tasks, ["a", "b"]);
    tasks.update("a", "failed");
    assert.equal(tasks.mustList, true);
  });

  it("with any, ends with the first update that fulfils the condition", () => {
    const tasks = group("claimed", true);
    list(tasks, ["a", "b"]);
    tasks.update("a", "complete");
    assert.deepEqual([tasks.mustList, tasks.isProven], [false, false]);
    tasks.update("b", "claimed");
    assert.equal(tasks.isProven, true);
  });

  it("waits for the first task of an empty group", () => {
    const tasks = group();
    list(tasks, []);
    assert.equal(tasks.mustList, false);
    tasks.update("a", "available");
    assert.equal(tasks.mustList, false);
    tasks.update("a", "complete");
    assert.equal(tasks.mustList, true);
  });
});
