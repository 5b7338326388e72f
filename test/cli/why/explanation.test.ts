/** What is shown of a chain: a tree of bounded size, and the tasks at which the chain ends. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { ChainTask } from "../../../src/cli/why/blocking-chain.ts";
import { explain, type Explanation, MAX_BRANCHES } from "../../../src/cli/why/explanation.ts";
import { chainOf, type Sketch, tasksOf } from "./sample-chain.ts";

const LIMITS = { depth: 8, limit: 50 };

function explained(root: string, sketch: Sketch, limits = LIMITS): Explanation {
  return explain(chainOf(root, tasksOf(sketch)), limits);
}

/** Ids, indented by their level. */
function outline({ tree }: Explanation): string[] {
  return tree.map(({ id, level }) => ">".repeat(level) + id);
}

describe("the explanation of a chain", () => {
  it("leads from the task down to the tasks that can move", () => {
    const explanation = explained("a", { a: ["b", "c"], b: ["d"], c: "claimed", d: "available" });
    assert.deepEqual(outline(explanation), ["a", ">c", ">b", ">>d"]);
    assert.deepEqual(explanation.ends, ["c", "d"]);
    assert.equal(explanation.total, 3);
  });

  it("leaves out what is complete, and what is behind it", () => {
    const explanation = explained("a", { a: ["b", "c"], b: "complete", c: "failed" });
    assert.deepEqual(outline(explanation), ["a", ">c"]);
    assert.deepEqual(explanation.ends, ["c"]);
  });

  it("is only the task itself if nothing blocks it", () => {
    for (const status of ["available", "claimed", "complete", "failed", "cancelled"] as const) {
      const explanation = explained("a", { a: status });
      assert.deepEqual(outline(explanation), ["a"]);
      assert.deepEqual(explanation.ends, ["a"]);
      assert.equal(explanation.total, 0);
    }
  });

  it("names dependencies that do not exist first, because they need a decision", () => {
    const explanation = explained("a", { a: ["b", "nowhere"], b: "claimed" });
    assert.deepEqual(outline(explanation), ["a", ">nowhere", ">b"]);
    assert.deepEqual(explanation.ends, ["nowhere", "b"]);
  });

  it("shows a task of a diamond once, where the chain to it is shortest", () => {
    const explanation = explained("a", { a: ["b", "c"], b: ["d"], c: ["d"], d: "available" });
    assert.deepEqual(outline(explanation), ["a", ">b", ">>d", ">c"]);
    assert.deepEqual(explanation.tree.at(-1)?.elsewhere, ["d"]);
    assert.equal(explanation.tree.at(-1)?.hidden, 0);
  });

  it("finds a cycle, and the ends next to it", () => {
    const alone = explained("a", { a: ["b"], b: ["c"], c: ["b"] });
    assert.deepEqual(alone.cycle, ["b", "c", "b"]);
    assert.deepEqual(alone.ends, []);
    const withEnd = explained("a", { a: ["a", "b"], b: "claimed" });
    assert.deepEqual(withEnd.cycle, ["a", "a"]);
    assert.deepEqual(withEnd.ends, ["b"]);
  });

  it("limits branches and levels, and says how many tasks it leaves out", () => {
    const names = Array.from({ length: 30 }, (_, i) => `wide-${i}`);
    const wide = explained("a", { a: names });
    assert.equal(wide.tree.length, 1 + MAX_BRANCHES);
    assert.equal(wide.tree[0]?.hidden, 30 - MAX_BRANCHES);
    assert.equal(wide.ends.length, 30);
    const deep = explained("a", { a: ["b"], b: ["c"], c: "available" }, { depth: 1, limit: 50 });
    assert.deepEqual(outline(deep), ["a", ">b"]);
    assert.equal(deep.tree[1]?.hidden, 1);
    assert.deepEqual(deep.ends, ["c"]);
  });

  it("follows a chain of 100,000 tasks without exhausting the stack", () => {
    const length = 100_000;
    const sketch = Object.fromEntries(
      Array.from({ length }, (_, i) => [`t${i}`, i === length - 1 ? "claimed" : [`t${i + 1}`]]),
    ) as Sketch;
    const explanation = explained("t0", sketch, { depth: 1_000_000, limit: 1_000_000 });
    assert.equal(explanation.tree.length, length);
    assert.deepEqual(explanation.ends, [`t${length - 1}`]);
    assert.equal(explanation.total, length - 1);
  });
});

const STATUSES = ["blocked", "available", "claimed", "complete", "failed", "cancelled"] as const;

/** Any graph, with cycles, ids that do not exist, and dependencies named twice. */
const graphs = fc
  .array(
    fc.record({
      status: fc.constantFrom(...STATUSES),
      depends_on: fc.array(
        fc.nat(14).map((number) => `t${number}`),
        { maxLength: 6 },
      ),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((tasks) => new Map(tasks.map((fields, i) => [`t${i}`, toTask(`t${i}`, fields)])));

function toTask(id: string, fields: Pick<ChainTask, "status" | "depends_on">): ChainTask {
  const task = tasksOf({ [id]: fields.status }).get(id);
  assert.ok(task !== undefined);
  return { ...task, ...fields };
}

describe("for any graph", () => {
  const limits = fc.record({ depth: fc.nat(6), limit: fc.integer({ min: 1, max: 10 }) });

  it("shows each task once, each below one that it blocks, within the limits", () => {
    fc.assert(
      fc.property(graphs, limits, (tasks, { depth, limit }) => {
        const chain = chainOf("t0", tasks);
        const { tree } = explain(chain, { depth, limit });
        assert.equal(new Set(tree.map(({ id }) => id)).size, tree.length);
        assert.ok(tree.length <= limit);
        tree.forEach(({ id, level, blockers, elsewhere, hidden }, i) => {
          assert.ok(level <= depth);
          const rest = tree.slice(i + 1);
          const end = rest.findIndex((node) => node.level <= level);
          const below = rest.slice(0, end === -1 ? undefined : end);
          const children = below.filter((node) => node.level === level + 1).map((node) => node.id);
          assert.ok(children.every((child) => blockers.includes(child)));
          assert.equal(children.length + elsewhere.length + hidden, blockers.length, id);
        });
      }),
    );
  });

  it("reaches every task that blocks the root, and only those", () => {
    fc.assert(
      fc.property(graphs, (tasks) => {
        const chain = chainOf("t0", tasks);
        const explanation = explain(chain, { depth: 100, limit: 1_000 });
        const reached = new Set(reachable(tasks));
        assert.deepEqual(new Set(chain.ids()), reached);
        assert.equal(explanation.total, reached.size - 1);
        // Only the cap of branches can hide a task, and no task here has so many.
        assert.deepEqual(new Set(explanation.tree.map(({ id }) => id)), reached);
      }),
    );
  });

  it("ends where nothing blocks, and has an end or a cycle", () => {
    fc.assert(
      fc.property(graphs, (tasks) => {
        const chain = chainOf("t0", tasks);
        const { ends, cycle } = explain(chain, LIMITS);
        for (const id of ends) assert.deepEqual(chain.blockersOf(id), []);
        assert.ok(ends.length > 0 || cycle !== null);
        if (cycle === null) return;
        assert.equal(cycle[0], cycle.at(-1));
        cycle.slice(1).forEach((id, i) => {
          assert.ok(chain.blockersOf(cycle[i] ?? "").includes(id));
        });
      }),
    );
  });
});

/** The same by a plain search. */
function reachable(tasks: ReadonlyMap<string, ChainTask>): string[] {
  const reached = new Set(["t0"]);
  for (const id of reached) {
    const task = tasks.get(id);
    if (task?.status !== "blocked") continue;
    for (const next of task.depends_on) {
      if (tasks.get(next)?.status !== "complete") reached.add(next);
    }
  }
  return [...reached];
}
