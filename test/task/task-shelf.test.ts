/** A shelf of tasks, compared with a plain list. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Shelved, TaskShelf } from "../../src/task/task-shelf.ts";

interface Ordered extends Shelved {
  readonly place: number;
}

const tags = fc.subarray(["x", "y", "z"]);
const filters = fc.record({ tags, prefix: fc.constantFrom("", "a", "a1", "b", "c") });
const taskIds = fc.constantFrom("a", "a1", "a2", "a11", "b", "b1", "c", "z");
const tasks = fc.record({ taskId: taskIds, tags, place: fc.nat(5) });

function byPlace(a: Ordered, b: Ordered): number {
  return a.place - b.place || (a.taskId < b.taskId ? -1 : a.taskId > b.taskId ? 1 : 0);
}

function byId(a: Shelved, b: Shelved): number {
  return a.taskId < b.taskId ? -1 : a.taskId > b.taskId ? 1 : 0;
}

describe("a shelf of tasks", () => {
  it("finds and counts tasks as a plain list does", () => {
    fc.assert(
      fc.property(fc.array(tasks, { maxLength: 40 }), filters, (changes, filter) => {
        const shelf = new TaskShelf<Ordered>(byPlace);
        const plain = new TaskShelf<Ordered>();
        const model = new Map<string, Ordered>();
        for (const task of changes) {
          const before = model.get(task.taskId);
          if (before !== undefined) {
            assert.deepEqual([shelf.delete(before), plain.delete(before)], [true, true]);
            assert.deepEqual([shelf.delete(before), plain.delete(before)], [false, false]);
            model.delete(task.taskId);
            // Every second change of a task removes it.
            continue;
          }
          for (const each of [shelf, plain, shelf]) each.add(task);
          model.set(task.taskId, task);
        }
        const fitting = [...model.values()].filter(
          (task) =>
            task.taskId.startsWith(filter.prefix) &&
            filter.tags.every((tag) => task.tags.includes(tag)),
        );
        for (const [each, order] of [[shelf, byPlace] as const, [plain, byId] as const]) {
          assert.equal(each.size, model.size);
          assert.equal(each.count(filter), fitting.length);
          const sorted = [...fitting].sort(order);
          for (const count of [1, 2, 100]) {
            assert.deepEqual(each.first(count, filter), sorted.slice(0, count));
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it("finds tasks with a prefix in order behind many others", () => {
    const shelf = new TaskShelf<Ordered>(byPlace);
    for (let i = 0; i < 3_000; i++) shelf.add({ taskId: `other.${i}`, tags: ["x"], place: 0 });
    for (let i = 0; i < 700; i++) shelf.add({ taskId: `mine.${i}`, tags: ["x"], place: 700 - i });
    const places = shelf.first(5, { tags: ["x"], prefix: "mine." }).map(({ place }) => place);
    assert.deepEqual(places, [1, 2, 3, 4, 5]);
  });

  it("estimates how many of thousands have two tags, and counts one tag or a prefix exactly", () => {
    const shelf = new TaskShelf<Ordered>();
    for (let i = 0; i < 9_000; i++) {
      shelf.add({ taskId: `t${i}`, tags: i % 3 === 0 ? ["x", "y"] : ["x", "y", "z"], place: i });
    }
    assert.equal(shelf.count({ tags: ["z"], prefix: "" }), 6_000);
    assert.equal(shelf.count({ tags: [], prefix: "t1" }), 1_111);
    assert.equal(shelf.count({ tags: ["z"], prefix: "t1" }), 742);
    const estimate = shelf.count({ tags: ["x", "z"], prefix: "" });
    assert.ok(Math.abs(estimate - 6_000) < 300, String(estimate));
  });
});
