/** The queue of available tasks, compared with a plain list that is searched from end to end. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type ReadyFilter, ReadyQueue, type ReadyTask } from "../../src/task/ready-queue.ts";

const EVERYTHING: ReadyFilter = { capabilities: [], tags: [], prefix: "" };

describe("the ready queue", () => {
  it("gives the most urgent task first, then the oldest", () => {
    const queue = queueOf([
      ready("late", { priority: 2, createdRevision: 9 }),
      ready("early", { priority: 2, createdRevision: 3 }),
      ready("urgent", { priority: 0, createdRevision: 12 }),
    ]);
    assert.deepEqual(bestOf(queue, 3), ["urgent", "early", "late"]);
    assert.deepEqual(bestOf(queue, 1), ["urgent"]);
  });

  it("keeps the order across groups of different requirements and tags", () => {
    const queue = queueOf([
      ready("c", { createdRevision: 3, tags: ["x"] }),
      ready("a", { createdRevision: 1, requires: ["gpu"] }),
      ready("b", { createdRevision: 2 }),
    ]);
    assert.deepEqual(bestOf(queue, 9, { ...EVERYTHING, capabilities: ["gpu"] }), ["a", "b", "c"]);
  });

  it("counts the tasks that a filter excludes, by reason", () => {
    const queue = queueOf([
      ready("P1.a", { requires: ["gpu"] }),
      ready("P1.b", { tags: ["docs"], notBefore: 500 }),
      ready("P2.c", { tags: ["docs", "x"] }),
      ready("P1.d"),
    ]);
    assert.deepEqual(queue.withheld({ capabilities: ["git"], tags: ["docs"], prefix: "P1." }), {
      capabilities: 1,
      tags: 1,
      prefix: 1,
      notDue: 1,
      nextDueAt: 500,
    });
  });

  it("says when a task with the wanted prefix falls due, and ignores the others", () => {
    const queue = queueOf([ready("P1.a", { notBefore: 900 }), ready("P2.b", { notBefore: 500 })]);
    assert.deepEqual(queue.withheld({ ...EVERYTHING, prefix: "P1." }), {
      capabilities: 0,
      tags: 0,
      prefix: 1,
      notDue: 1,
      nextDueAt: 900,
    });
  });

  it("does not give a delayed task until it is due and promoted", () => {
    const queue = queueOf([ready("a", { notBefore: 500 })]);
    assert.equal(queue.nextDueAt(), 500);
    const due: string[] = [];
    queue.onDue((taskId) => due.push(taskId));
    queue.promoteDue(499);
    assert.deepEqual(due, []);
    assert.deepEqual(bestOf(queue, 1), []);
    queue.promoteDue(500);
    assert.equal(due.length, 1);
    assert.deepEqual(bestOf(queue, 1), ["a"]);
    assert.equal(queue.nextDueAt(), null);
  });

  it("contains a task once although it is added twice, and not after it was deleted", () => {
    const [a, b] = [ready("a", { createdRevision: 1 }), ready("b", { createdRevision: 2 })];
    const queue = queueOf([a, b, a]);
    assert.deepEqual([bestOf(queue, 3), queue.size], [["a", "b"], 2]);
    queue.delete(a);
    queue.delete(a);
    assert.deepEqual([bestOf(queue, 3), queue.size], [["b"], 1]);
    queue.add(a, 0);
    assert.deepEqual(bestOf(queue, 3), ["a", "b"]);
  });

  it("behaves as a plain list while tasks are added, replaced, removed and fall due", () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 80 }), filters, (changes, filter) => {
        const queue = new ReadyQueue();
        const model = new Map<string, ReadyTask>();
        let now = 0;
        for (const next of changes) {
          if (next.kind === "set") {
            const before = model.get(next.task.taskId);
            if (before !== undefined) queue.delete(before);
            queue.add(next.task, now);
            model.set(next.task.taskId, next.task);
          } else if (next.kind === "delete") {
            const before = model.get(next.taskId);
            if (before !== undefined) queue.delete(before);
            model.delete(next.taskId);
          } else {
            const due = [...model.values()].some(
              (task) => isDelayed(task, now) && !isDelayed(task, now + next.ms),
            );
            now += next.ms;
            const promoted: string[] = [];
            queue.onDue((taskId) => promoted.push(taskId));
            queue.promoteDue(now);
            assert.equal(promoted.length > 0, due);
          }
        }
        const tasks = [...model.values()];
        const delayed = tasks.filter((task) => isDelayed(task, now));
        assert.equal(queue.size, model.size);
        assert.equal(queue.nextDueAt(), firstDue(delayed));
        const fitting = tasks.filter((task) => isAble(task, filter) && isTagged(task, filter));
        const due = fitting.filter((task) => !isDelayed(task, now)).sort(byUrgency);
        const wanted = due.filter((task) => task.taskId.startsWith(filter.prefix));
        for (const count of [1, 3, 100]) {
          assert.deepEqual(queue.best(count, filter), wanted.slice(0, count));
        }
        const waiting = fitting.filter(
          (task) => isDelayed(task, now) && task.taskId.startsWith(filter.prefix),
        );
        const unable = tasks.filter((task) => !isAble(task, filter)).length;
        assert.equal(queue.withholdsFrom(filter.capabilities), unable > 0);
        assert.deepEqual(queue.withheld(filter), {
          capabilities: unable,
          tags: tasks.filter((task) => isAble(task, filter) && !isTagged(task, filter)).length,
          prefix: fitting.length - wanted.length - waiting.length,
          notDue: waiting.length,
          nextDueAt: firstDue(waiting),
        });
      }),
      { numRuns: 300 },
    );
  });

  it("does not look at tasks that a session cannot get", () => {
    let looks = 0;
    const noted = (task: ReadyTask): ReadyTask => ({
      ...task,
      get tags() {
        looks++;
        return task.tags;
      },
    });
    const others = Array.from({ length: 2_000 }, (_, i) => [
      ready(`evil.${i}`, { priority: 0, tags: [`t${i}`] }),
      ready(`able.${i}`, { priority: 0, requires: ["gpu", `c${i}`] }),
      ready(`late.${i}`, { priority: 0, requires: [`d${i}`], notBefore: 9 }),
    ]).flat();
    const mine = ["mine.1", "mine.2"].map((id) => ready(id, { tags: ["mine", "docs"] }));
    const queue = queueOf([...others, ...mine].map(noted));
    looks = 0;
    for (const filter of [
      { ...EVERYTHING, tags: ["mine"] },
      { ...EVERYTHING, tags: ["docs", "mine"] },
      { ...EVERYTHING, prefix: "mine." },
      { capabilities: ["gpu"], tags: ["mine"], prefix: "mine." },
    ]) {
      assert.deepEqual(bestOf(queue, 1, filter), ["mine.1"]);
      assert.deepEqual(bestOf(queue, 9, filter), ["mine.1", "mine.2"]);
      assert.equal(queue.withheld(filter).capabilities, 4_000);
      assert.deepEqual(bestOf(queue, 1, { ...filter, prefix: "nobody" }), []);
    }
    assert.equal(queue.nextDueAt(), 9);
    queue.promoteDue(8);
    assert.ok(looks < 100, `it looked at the tags of ${looks} tasks`);
  });

  it("gives 20,000 tasks one by one in order", () => {
    const tasks = Array.from({ length: 20_000 }, (_, i) =>
      ready(`t${i}`, {
        priority: i % 5,
        createdRevision: (i * 7_919) % 20_000,
        tags: [`${i % 7}`],
      }),
    );
    const queue = queueOf(tasks);
    const handedOut: ReadyTask[] = [];
    for (let [task] = queue.best(1, EVERYTHING); task !== undefined;) {
      handedOut.push(task);
      queue.delete(task);
      [task] = queue.best(1, EVERYTHING);
    }
    assert.deepEqual(handedOut, tasks.sort(byUrgency));
    assert.equal(queue.size, 0);
  });
});

const names = fc.subarray(["x", "y"]);
const taskIds = fc.constantFrom("P1.a", "P1.b", "P1.c", "P2.a", "P2.b", "P2.c");
const filters: fc.Arbitrary<ReadyFilter> = fc.record({
  capabilities: names,
  tags: names,
  prefix: fc.constantFrom("", "", "P1.", "P1.a", "none"),
});

type Change =
  | { readonly kind: "set"; readonly task: ReadyTask }
  | { readonly kind: "delete"; readonly taskId: string }
  | { readonly kind: "wait"; readonly ms: number };

const change: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("set" as const),
      task: fc.record({
        taskId: taskIds,
        priority: fc.integer({ min: 0, max: 4 }),
        createdRevision: fc.integer({ min: 1, max: 5 }),
        notBefore: fc.option(fc.integer({ min: 0, max: 60 }), { nil: null }),
        requires: fc.shuffledSubarray(["x", "y"]),
        tags: fc.shuffledSubarray(["x", "y"]),
      }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("delete" as const), taskId: taskIds }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.nat({ max: 20 }) }),
  },
);

function ready(taskId: string, overrides: Partial<ReadyTask> = {}): ReadyTask {
  return {
    taskId,
    priority: 2,
    createdRevision: 1,
    notBefore: null,
    requires: [],
    tags: [],
    ...overrides,
  };
}

function queueOf(tasks: readonly ReadyTask[]): ReadyQueue {
  const queue = new ReadyQueue();
  for (const task of tasks) queue.add(task, 0);
  return queue;
}

function bestOf(queue: ReadyQueue, count: number, filter = EVERYTHING): string[] {
  return queue.best(count, filter).map((task) => task.taskId);
}

function isDelayed(task: ReadyTask, now: number): boolean {
  return task.notBefore !== null && task.notBefore > now;
}

function isAble(task: ReadyTask, filter: ReadyFilter): boolean {
  return task.requires.every((name) => filter.capabilities.includes(name));
}

function isTagged(task: ReadyTask, filter: ReadyFilter): boolean {
  return filter.tags.every((tag) => task.tags.includes(tag));
}

function firstDue(delayed: readonly ReadyTask[]): number | null {
  const times = delayed.map((task) => task.notBefore ?? 0);
  return times.length === 0 ? null : Math.min(...times);
}

function byUrgency(a: ReadyTask, b: ReadyTask): number {
  return (
    a.priority - b.priority ||
    (a.createdRevision ?? 0) - (b.createdRevision ?? 0) ||
    (a.taskId < b.taskId ? -1 : 1)
  );
}
