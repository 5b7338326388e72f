import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  checkLinearizability,
  type Model,
  type Operation,
} from "../../src/history/linearizability.ts";

/** A register: `write` sets its value, `read` returns it. The forgetful register may become 0 by itself. */
type Op = { readonly write: number } | { readonly read: number };
const register: Model<number, Op> = {
  initial: 0,
  step: (state, op) => ("write" in op ? [op.write] : op.read === state ? [state] : []),
  changes: () => [],
  key: String,
};
const forgetful: Model<number, Op> = { ...register, changes: (state) => (state === 0 ? [] : [0]) };

const write = (value: number, invokedAt: number, returnedAt: number): Operation<Op> => ({
  op: { write: value },
  invokedAt,
  returnedAt,
});
const read = (value: number, invokedAt: number, returnedAt: number): Operation<Op> => ({
  op: { read: value },
  invokedAt,
  returnedAt,
});

function isLinearizable(history: readonly Operation<Op>[], model = register): boolean {
  return checkLinearizability(model, history).isLinearizable;
}

describe("the check of linearizability", () => {
  it("accepts operations one after the other, listed in any order", () => {
    assert.ok(isLinearizable([]));
    assert.ok(isLinearizable([read(1, 4, 5), write(1, 1, 2), read(0, 0, 0.5)]));
  });

  it("refuses a read that misses an earlier write", () => {
    assert.ok(!isLinearizable([write(1, 0, 1), read(0, 2, 3)]));
  });

  it("accepts either order of operations that overlap", () => {
    assert.ok(isLinearizable([write(1, 0, 10), read(0, 1, 2), read(1, 3, 4)]));
    assert.ok(isLinearizable([write(1, 0, 10), read(1, 1, 2), read(1, 3, 4)]));
  });

  it("refuses a value that is read and then disappears without a write", () => {
    const history = [write(1, 0, 10), read(1, 1, 2), read(0, 3, 4)];
    assert.ok(!isLinearizable(history));
    assert.ok(isLinearizable(history, forgetful));
  });

  it("accepts that an operation without a reply happens late, or never", () => {
    const lost = write(1, 0, Infinity);
    assert.ok(isLinearizable([lost, read(0, 1, 2)]));
    assert.ok(isLinearizable([lost, read(0, 1, 2), read(1, 3, 4)]));
    assert.ok(!isLinearizable([lost, read(1, 1, 2), read(0, 3, 4)]));
  });

  it("reports how far an explanation goes, and what cannot follow", () => {
    const { explained, stuckAt } = checkLinearizability(register, [
      write(1, 0, 1),
      read(1, 2, 3),
      read(2, 4, 5),
    ]);
    assert.deepEqual(explained, [write(1, 0, 1), read(1, 2, 3)]);
    assert.deepEqual(stuckAt, [read(2, 4, 5)]);
  });

  it("decides many overlapping operations without trying every order", () => {
    const writes = Array.from({ length: 14 }, (_, i) => write(i, 0, 100));
    assert.ok(isLinearizable([...writes, read(7, 101, 102)]));
    assert.ok(!isLinearizable([...writes, read(99, 101, 102)]));
  });
});
