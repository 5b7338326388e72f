/** Whose turn it is, compared with a plain list that is searched from end to end. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { FilterIndex } from "../../src/service/filter-index.ts";
import { Ranking } from "../../src/service/ranking.ts";
import { type Waiter, WaitingTurns } from "../../src/service/waiting-turns.ts";
import { fitsFilter } from "../../src/task/eligibility.ts";
import type { ReadyFilter } from "../../src/task/ready-queue.ts";

const names = fc.subarray(["x", "y"]);
const filters: fc.Arbitrary<ReadyFilter> = fc.record({
  capabilities: names,
  tags: names,
  prefix: fc.constantFrom("", "P", "P1.", "P1.a", "Q"),
});
const tasks = fc.record({
  taskId: fc.constantFrom("P1.a", "P1.b", "P2", "Q"),
  tags: names,
  requires: names,
});
const senders = fc.constantFrom("s1", "s2", "s3");

const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("add" as const), sender: senders, filter: filters }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("serve" as const), task: tasks }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("remove" as const), at: fc.nat(20) }) },
);

describe("the turns of what waits", () => {
  it("are those of a plain list", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const turns = new WaitingTurns<Waiter>();
        let model: Waiter[] = [];
        /** For each sender that waits: since when, or when it was served. */
        const since = new Map<string, number>();
        for (const [time, one] of steps.entries()) {
          if (one.do === "add") {
            const { sender, filter } = one;
            const item = { sender, filter, filterKey: JSON.stringify(filter), place: time };
            if (!model.some((other) => other.sender === sender)) since.set(sender, time);
            turns.add(item);
            model.push(item);
          } else if (one.do === "remove") {
            const item = model[one.at];
            if (item === undefined) continue;
            assert.equal(turns.remove(item), true);
            assert.equal(turns.remove(item), false);
            model = model.filter((other) => other !== item);
          } else {
            const fitting = model.filter(({ filter }) => fitsFilter(one.task, filter));
            fitting.sort(
              (a, b) =>
                (since.get(a.sender) ?? 0) - (since.get(b.sender) ?? 0) || a.place - b.place,
            );
            // Requests of one sender with different filters: the first group in order wins a tie.
            const first = turns.first(one.task, () => true);
            assert.equal(first?.sender, fitting[0]?.sender);
            if (first === undefined) continue;
            assert.ok(fitting.includes(first));
            turns.serve(first);
            since.set(first.sender, time);
            model = model.filter((other) => other !== first);
          }
          for (const sender of ["s1", "s2", "s3"]) {
            const own = model.filter((item) => item.sender === sender);
            assert.equal(turns.ranking.of(sender), own.length);
            assert.deepEqual(new Set(turns.of(sender)), new Set(own));
            assert.equal(turns.filtersOf(sender), new Set(own.map((item) => item.filterKey)).size);
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("the index of filters", () => {
  it("finds every filter that a task fits, also after others are gone", () => {
    fc.assert(
      fc.property(fc.array(filters), fc.array(fc.nat(20)), tasks, (all, gone, task) => {
        const index = new FilterIndex<{ readonly filter: ReadyFilter }>();
        const items = all.map((filter) => ({ filter }));
        for (const item of items) index.add(item);
        const left = items.filter((_, i) => !gone.includes(i));
        for (const item of items) if (!left.includes(item)) index.delete(item);
        const found = new Set(index.candidates(task).flatMap((set) => [...set]));
        for (const item of left) {
          if (fitsFilter(task, item.filter)) assert.ok(found.has(item));
        }
        for (const item of found) assert.ok(left.includes(item));
      }),
    );
  });

  it("does not look at filters with other tags or prefixes", () => {
    const index = new FilterIndex<{ readonly filter: ReadyFilter }>();
    for (let i = 0; i < 1_000; i++) {
      index.add({ filter: { capabilities: [], tags: [`t${i}`], prefix: "" } });
      index.add({ filter: { capabilities: [], tags: [], prefix: `P${i}.` } });
    }
    const sets = index.candidates({ taskId: "P7.a", tags: ["t3"] });
    const found = sets.flatMap((set) => [...set]);
    assert.deepEqual(
      found.map(({ filter }) => filter.prefix + filter.tags.join()),
      ["t3", "P7."],
    );
  });
});

describe("the ranking of senders", () => {
  it("knows who has most, as a plain count does", () => {
    const change = fc.record({
      name: senders,
      by: fc.constantFrom(1 as const, 1 as const, -1 as const),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
        const ranking = new Ranking();
        const counts = new Map<string, number>();
        for (const { name, by } of changes) {
          const after = (counts.get(name) ?? 0) + by;
          if (after < 0) continue;
          counts.set(name, after);
          ranking.count(name, by);
          const most = Math.max(...counts.values());
          assert.equal(ranking.most, most);
          const first = ranking.first();
          assert.equal(first === undefined ? 0 : counts.get(first), most);
          const order = [...ranking.names()].map((one) => counts.get(one) ?? 0);
          const expected = [...counts.values()].filter((count) => count > 0);
          assert.deepEqual(
            order,
            expected.sort((a, b) => b - a),
          );
        }
      }),
    );
  });
});
