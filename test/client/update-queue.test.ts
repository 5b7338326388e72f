import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { UpdateQueue } from "../../src/client/update-queue.ts";

const MAX_ENTRIES = 1_000;
const MAX_BYTES = 4 * 1024 * 1024;

describe("the queue of updates", () => {
  it("returns entries first in, first out, also if pushes and shifts mix", () => {
    const step = fc.oneof(
      fc.record({ push: fc.integer({ min: 1, max: 700 }) }),
      fc.record({ shift: fc.integer({ min: 1, max: 700 }) }),
      fc.record({ clear: fc.constant(true) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const queue = new UpdateQueue<number>();
        let model: number[] = [];
        let next = 0;
        for (const one of steps) {
          if ("push" in one) {
            for (let i = 0; i < one.push; i++) {
              queue.push(next, 1);
              model.push(next++);
            }
          } else if ("shift" in one) {
            for (let i = 0; i < one.shift; i++) assert.equal(queue.shift(), model.shift());
          } else {
            queue.clear();
            model = [];
          }
          assert.equal(queue.size, model.length);
          assert.equal(queue.isFull, model.length >= MAX_ENTRIES);
        }
      }),
    );
  });

  it("is full with the maximum of entries, until one is taken", () => {
    const queue = new UpdateQueue<number>();
    for (let i = 1; i < MAX_ENTRIES; i++) queue.push(i, 0);
    assert.equal(queue.isFull, false);
    queue.push(MAX_ENTRIES, 0);
    assert.equal(queue.isFull, true);
    assert.equal(queue.shift(), 1);
    assert.equal(queue.isFull, false);
  });

  it("is full with the maximum of bytes, until enough are taken", () => {
    const queue = new UpdateQueue<string>();
    queue.push("first", MAX_BYTES - 1);
    assert.equal(queue.isFull, false);
    queue.push("second", 1);
    assert.equal(queue.isFull, true);
    queue.shift();
    assert.equal(queue.isFull, false);
    queue.push("third", MAX_BYTES - 1);
    assert.equal(queue.isFull, true);
    queue.clear();
    assert.deepEqual([queue.isFull, queue.size, queue.shift()], [false, 0, undefined]);
  });

  it("returns nothing when it is empty", () => {
    const queue = new UpdateQueue<number>();
    assert.equal(queue.shift(), undefined);
    assert.equal(queue.size, 0);
  });
});
