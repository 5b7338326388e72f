import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { leaseKeyOf, parseLeaseKey } from "../../src/protocol/lease-key.ts";

const taskId = fc.stringMatching(/^[A-Za-z0-9_=/-]{1,9}(\.[A-Za-z0-9_=/-]{1,9}){0,3}$/);
const count = fc.nat({ max: 999_999_999_999_999 });

describe("the key of a lease", () => {
  it("begins with the attempt and the epoch, and ends with the task id", () => {
    assert.equal(leaseKeyOf({ taskId: "P0.5.1", attempt: 3, epoch: 0 }), "3-0.P0.5.1");
    assert.deepEqual(parseLeaseKey("3-12.P0.5.1"), { taskId: "P0.5.1", attempt: 3, epoch: 12 });
  });

  it("names its claim and no other, also if the task id looks like a key", () => {
    fc.assert(
      fc.property(taskId, count, count, (id, attempt, epoch) => {
        const name = { taskId: id, attempt, epoch };
        assert.deepEqual(parseLeaseKey(leaseKeyOf(name)), name);
      }),
    );
    const name = { taskId: "1-0.a", attempt: 2, epoch: 1 };
    assert.deepEqual(parseLeaseKey(leaseKeyOf(name)), name);
  });

  it("is not one if it is a bare task id, as in version 0.1, or if numbers are written otherwise", () => {
    for (const key of [
      ...["a", "P0.5.1", "1-0", "1-0.", "1.a", "-1-0.a", "1--1.a", "1-0-a", "a-0.b", "1-b.c"],
      ...["01-0.a", "1-00.a", "+1-0.a", "1e3-0.a", "1.5-0.a", " 1-0.a", "", ".", "1-0_a"],
      ...["1234567890123456-0.a"],
    ]) {
      assert.equal(parseLeaseKey(key), null, key);
    }
  });
});
