/** The sorted list, compared with a plain sorted array. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { SortedList } from "../../src/task/sorted-list.ts";

const ascending = (a: number, b: number): number => a - b;

describe("a sorted list", () => {
  it("behaves as a sorted array without duplicates", () => {
    const value = fc.integer({ min: 0, max: 40 });
    const change = fc.tuple(fc.constantFrom("add", "delete"), value);
    fc.assert(
      fc.property(fc.array(change, { maxLength: 200 }), value, (changes, from) => {
        const list = new SortedList(ascending);
        const model = new Set<number>();
        for (const [kind, element] of changes) {
          if (kind === "add") {
            list.set(element);
            model.add(element);
          } else {
            assert.equal(list.delete(element), model.delete(element));
          }
          assertSame(list, model);
        }
        assert.deepEqual(
          [...list.from(from)],
          [...model].sort(ascending).filter((element) => element >= from),
        );
      }),
    );
  });

  it("stays right across many chunks, in any order of insertion and removal", () => {
    const seeds = fc.integer({ min: 1, max: 9_999 });
    fc.assert(
      fc.property(seeds, seeds, (first, second) => {
        const list = new SortedList(ascending);
        const model = new Set<number>();
        for (const element of scattered(first)) {
          list.set(element);
          model.add(element);
        }
        assertSame(list, model);
        for (const element of scattered(second).slice(0, 4_500)) {
          assert.equal(list.delete(element), model.delete(element));
        }
        assertSame(list, model);
        for (const from of [0, 1, 511, 512, 513, 4_999, 5_000]) {
          assert.deepEqual(
            [...list.from(from)],
            [...model].sort(ascending).filter((element) => element >= from),
          );
        }
      }),
      { numRuns: 10 },
    );
  });

  it("is empty again when everything is removed, and can be filled again", () => {
    const list = new SortedList(ascending);
    for (let i = 0; i < 2_000; i++) list.set(i);
    for (let i = 0; i < 2_000; i++) assert.equal(list.delete(i), true);
    assert.deepEqual([list.size, list.first(), [...list]], [0, undefined, []]);
    list.set(7);
    assert.deepEqual([list.size, list.first()], [1, 7]);
  });

  it("replaces the element that is equal to a new one", () => {
    const list = new SortedList<{ readonly at: number; readonly name: string }>(
      (a, b) => a.at - b.at,
    );
    for (let at = 0; at < 1_500; at++) list.set({ at, name: "old" });
    for (const at of [0, 511, 512, 1_499]) list.set({ at, name: "new" });
    const isNew = [...list].filter(({ name }) => name === "new").map(({ at }) => at);
    assert.deepEqual([list.size, isNew], [1_500, [0, 511, 512, 1_499]]);
  });
});

function assertSame(list: SortedList<number>, model: ReadonlySet<number>): void {
  const sorted = [...model].sort(ascending);
  assert.deepEqual([...list], sorted);
  assert.equal(list.size, sorted.length);
  assert.equal(list.first(), sorted[0]);
}

/** 0 to 4,999, each once, in an order that depends on the seed. */
function scattered(seed: number): number[] {
  return Array.from({ length: 5_000 }, (_, i) => i)
    .map((element) => [(element * 7_919 * seed + seed) % 10_007, element] as const)
    .sort(([a], [b]) => a - b)
    .map(([, element]) => element);
}
