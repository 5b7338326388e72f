import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { TopList } from "../../../src/cli/board/top-list.ts";

interface Entry {
  readonly id: string;
  readonly rank: number;
}

const byRank = (a: Entry, b: Entry): number => a.rank - b.rank || a.id.localeCompare(b.id);

describe("a list of the best entries", () => {
  it("keeps the best, in order, and says that it has dropped others", () => {
    const list = new TopList(2, byRank);
    for (const [id, rank] of [["a", 3] as const, ["b", 1] as const]) list.set({ id, rank });
    assert.equal(list.isPartial, false);
    list.set({ id: "c", rank: 2 });
    assert.deepEqual(
      list.entries.map(({ id }) => id),
      ["b", "c"],
    );
    assert.equal(list.isPartial, true);
  });

  it("replaces an entry with the same id", () => {
    const list = new TopList(2, byRank);
    list.set({ id: "a", rank: 1 });
    list.set({ id: "b", rank: 2 });
    list.set({ id: "a", rank: 3 });
    assert.deepEqual(
      list.entries.map(({ id }) => id),
      ["b", "a"],
    );
    assert.equal(list.isPartial, false);
  });

  it("never shows an entry as one of the best if it may have dropped a better one", () => {
    const action = fc.record({
      id: fc.constantFrom("a", "b", "c", "d", "e", "f", "g", "h"),
      rank: fc.option(fc.nat(5), { nil: null, freq: 3 }),
    });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const list = new TopList<Entry>(3, byRank);
        const all = new Map<string, Entry>();
        for (const { id, rank } of actions) {
          if (rank === null) {
            list.delete(id);
            all.delete(id);
          } else {
            list.set({ id, rank });
            all.set(id, { id, rank });
          }
          const best = [...all.values()].sort(byRank);
          assert.deepEqual(list.entries, best.slice(0, list.size));
          if (!list.isPartial) assert.equal(list.size, best.length);
        }
      }),
    );
  });
});
