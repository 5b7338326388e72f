/** The graph of dependencies: incomplete ones, cycles, order of creation. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { findCycle, inDependencyOrder, unmetDependencies } from "../../src/task/dependencies.ts";

type Graph = ReadonlyMap<string, readonly string[]>;

const LONG = 100_000;
const IDS = ["a", "b", "c", "d", "e", "f", "g", "h"] as const;
const ids = fc.constantFrom(...IDS);
const edges = fc.array(fc.tuple(ids, ids), { maxLength: 24 });
const graph: fc.Arbitrary<Graph> = edges.map(toGraph);
/** Edges that lead forwards in the alphabet only. */
const acyclic: fc.Arbitrary<Graph> = edges.map((pairs) =>
  toGraph(pairs.filter(([from, to]) => from < to)),
);

describe("unmet dependencies", () => {
  it("are the incomplete ones and the unknown ones, in the given order", () => {
    const complete = new Set(["b"]);
    assert.deepEqual(
      unmetDependencies(["c", "b", "unknown", "a"], (id) => complete.has(id)),
      ["c", "unknown", "a"],
    );
  });
});

describe("finding a cycle", () => {
  it("gives the path along the dependencies, back to where it begins", () => {
    const tasks = toGraph([
      ["start", "a"],
      ["a", "b"],
      ["b", "c"],
      ["c", "a"],
    ]);
    assert.deepEqual(cycleOf(tasks, ["start"]), ["a", "b", "c", "a"]);
  });

  it("finds a task that depends on itself", () => {
    assert.deepEqual(cycleOf(toGraph([["a", "a"]]), ["a"]), ["a", "a"]);
  });

  it("does not take a shared dependency for a cycle", () => {
    const diamond = toGraph([
      ["a", "b"],
      ["a", "c"],
      ["b", "d"],
      ["c", "d"],
    ]);
    assert.equal(cycleOf(diamond, ["a", "b", "c", "d"]), null);
  });

  it("treats an unknown task as one without dependencies", () => {
    assert.equal(cycleOf(toGraph([["a", "unknown"]]), ["a", "missing"]), null);
  });

  it("gives a real cycle if there is one", () => {
    fc.assert(
      fc.property(graph, (tasks) => {
        const cycle = cycleOf(tasks, [...tasks.keys()]);
        assert.equal(cycle !== null, hasCycle(tasks));
        if (cycle === null) return;
        assert.ok(cycle.length >= 2);
        assert.equal(cycle[0], cycle.at(-1));
        assert.equal(new Set(cycle).size, cycle.length - 1, "each task once");
        for (const [i, id] of cycle.slice(0, -1).entries()) {
          const next = cycle[i + 1];
          assert.ok(next !== undefined && tasks.get(id)?.includes(next), `${id} -> ${next ?? ""}`);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("gives null if there is no cycle", () => {
    fc.assert(
      fc.property(acyclic, (tasks) => {
        assert.equal(cycleOf(tasks, [...tasks.keys()]), null);
      }),
    );
  });

  it(`follows a chain of ${LONG} tasks, and finds the cycle at its end`, () => {
    const chain = longChain();
    assert.equal(cycleOf(chain, ["0"]), null);
    chain.set(String(LONG), ["0"]);
    assert.equal(cycleOf(chain, ["0"])?.length, LONG + 2);
  });
});

describe("the order of creation", () => {
  it("contains every task once, after those of its dependencies that are given too", () => {
    fc.assert(
      fc.property(acyclic, fc.shuffledSubarray<string>([...IDS]), (tasks, subset) => {
        const given = subset.map((taskId) => ({ taskId, dependsOn: tasks.get(taskId) ?? [] }));
        const ordered = inDependencyOrder(given);
        assert.deepEqual(new Set(ordered), new Set(given));
        assert.equal(ordered.length, given.length);
        const position = new Map(ordered.map((task, i) => [task.taskId, i]));
        for (const [i, { dependsOn }] of ordered.entries()) {
          for (const id of dependsOn) assert.ok((position.get(id) ?? -1) < i);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("keeps the given order, except for a task that comes before its dependency", () => {
    const order = (...graph: [string, string[]][]): string[] =>
      inDependencyOrder(graph.map(([taskId, dependsOn]) => ({ taskId, dependsOn }))).map(
        ({ taskId }) => taskId,
      );
    assert.deepEqual(order(["c", []], ["a", ["c"]], ["b", []]), ["c", "a", "b"]);
    assert.deepEqual(order(["c", ["b"]], ["a", []], ["b", []]), ["b", "c", "a"]);
  });

  it(`puts a chain of ${LONG} tasks in order`, () => {
    const tasks = [...longChain()].map(([taskId, dependsOn]) => ({ taskId, dependsOn }));
    const ordered = inDependencyOrder(tasks);
    assert.equal(ordered.length, LONG + 1);
    assert.deepEqual([ordered[0]?.taskId, ordered.at(-1)?.taskId], [String(LONG), "0"]);
  });
});

function cycleOf(tasks: Graph, starts: readonly string[]): string[] | null {
  return findCycle(starts, (id) => tasks.get(id));
}

/** Task 0 depends on 1, 1 on 2, and so on; the last on none. */
function longChain(): Map<string, readonly string[]> {
  const chain = new Map<string, readonly string[]>();
  for (let i = 0; i < LONG; i++) chain.set(String(i), [String(i + 1)]);
  return chain.set(String(LONG), []);
}

function toGraph(pairs: readonly (readonly [string, string])[]): Graph {
  const dependencies = new Map<string, string[]>();
  for (const [from, to] of pairs) {
    dependencies.set(from, [...(dependencies.get(from) ?? []), to]);
  }
  return dependencies;
}

/** The same answer in a simple way: whether any task reaches itself. */
function hasCycle(tasks: Graph): boolean {
  return [...tasks.keys()].some((start) => {
    const reached = new Set<string>();
    const queue = [...(tasks.get(start) ?? [])];
    for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
      if (reached.has(id)) continue;
      reached.add(id);
      queue.push(...(tasks.get(id) ?? []));
    }
    return reached.has(start);
  });
}
