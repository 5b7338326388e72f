import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SharedValues } from "../../src/protocol/shared-values.ts";

describe("shared values", () => {
  it("makes one value of equal texts", () => {
    const lists = new SharedValues((text) => text.split(","));
    const list = lists.get("a,b");
    assert.deepEqual(list, ["a", "b"]);
    assert.equal(lists.get(["a", "b"].join(",")), list);
  });

  it("makes a value again after so many others that it was forgotten", () => {
    const lists = new SharedValues((text) => [text]);
    const list = lists.get("a");
    for (let i = 0; i < 10_000; i++) lists.get(String(i));
    assert.notEqual(lists.get("a"), list);
    assert.deepEqual(lists.get("a"), list);
  });
});
