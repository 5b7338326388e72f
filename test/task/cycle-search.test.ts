/** The search for a cycle that new dependencies of one task would close. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { cycleThrough, type Neighbours } from "../../src/task/cycle-search.ts";
import { findCycle } from "../../src/task/dependencies.ts";

type Edge = readonly [from: string, to: string];

/** The graph of these dependencies, and how many of them have been looked at. */
function graphOf(edges: readonly Edge[]): Neighbours & { readonly looked: () => number } {
  const [ahead, behind] = [new Map<string, string[]>(), new Map<string, string[]>()];
  for (const [from, to] of edges) {
    ahead.set(from, [...(ahead.get(from) ?? []), to]);
    behind.set(to, [...(behind.get(to) ?? []), from]);
  }
  let looked = 0;
  const noted = (ids: string[] = []): string[] => {
    looked += ids.length;
    return ids;
  };
  return {
    dependenciesOf: (id) => noted(ahead.get(id)),
    dependentsOf: (id) => noted(behind.get(id)),
    looked: () => looked,
  };
}

const ids = fc.constantFrom("a", "b", "c", "d", "e", "f", "g", "h");
/** Without a cycle: forwards in the alphabet. */
const acyclic = fc
  .array(fc.tuple(ids, ids), { maxLength: 24 })
  .map((pairs) => pairs.filter(([from, to]) => from < to));

describe("the search for a cycle through one task", () => {
  it("finds a cycle exactly if there is one, with a path of real dependencies", () => {
    fc.assert(
      fc.property(acyclic, ids, fc.uniqueArray(ids, { maxLength: 4 }), (edges, task, dependsOn) => {
        const others = edges.filter(([from]) => from !== task);
        const graph = graphOf(others);
        const all = (id: string): readonly string[] =>
          id === task ? dependsOn : (graph.dependenciesOf(id) ?? []);
        const cycle = cycleThrough(task, dependsOn, graph, Infinity);
        assert.equal(cycle !== null, findCycle([task], all) !== null);
        if (cycle === null || cycle === "too_far") return;
        assert.deepEqual([cycle[0], cycle.at(-1)], [task, task]);
        assert.equal(new Set(cycle).size, cycle.length - 1, "each task once");
        for (const [i, id] of cycle.slice(0, -1).entries()) {
          assert.ok(all(id).includes(cycle[i + 1] ?? ""), cycle.join(" -> "));
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("finds a task that depends on itself", () => {
    assert.deepEqual(cycleThrough("a", ["b", "a"], graphOf([]), 10), ["a", "a"]);
  });

  it("looks at nothing but its own dependencies if no task waits for it", () => {
    const chain: Edge[] = Array.from({ length: 100_000 }, (_, i) => [`t${i}`, `t${i + 1}`]);
    const graph = graphOf(chain);
    assert.equal(cycleThrough("new", ["t0"], graph, 1_000), null);
    assert.equal(graph.looked(), 0);
  });

  it("looks at little if only a few tasks wait for it", () => {
    const chain: Edge[] = Array.from({ length: 100_000 }, (_, i) => [`t${i}`, `t${i + 1}`]);
    const graph = graphOf([...chain, ["waits", "new"]]);
    assert.equal(cycleThrough("new", ["t0"], graph, 1_000), null);
    assert.ok(graph.looked() <= 10, `${graph.looked()} were looked at`);
  });

  it("gives up after the given number of dependencies", () => {
    const chain: Edge[] = Array.from({ length: 2_000 }, (_, i) => [`t${i}`, `t${i + 1}`]);
    const before: Edge[] = Array.from({ length: 2_000 }, (_, i) => [`b${i + 1}`, `b${i}`]);
    const graph = graphOf([...chain, ...before, ["b0", "new"]]);
    assert.equal(cycleThrough("new", ["t0"], graph, 1_000), "too_far");
    assert.ok(graph.looked() <= 1_300, `${graph.looked()} were looked at`);
  });
});
