import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toJsonText, toRequestText } from "../../src/client/json-text.ts";
import { TaskError } from "../../src/client/task-error.ts";

describe("a value of a caller as JSON", () => {
  it("is the text of JSON.stringify", () => {
    const twice = { n: null };
    for (const value of [null, 0, -0, "null", [twice, twice], { a: undefined, b: [undefined] }]) {
      assert.equal(toJsonText("value", value), JSON.stringify(value));
    }
    assert.equal(toJsonText("value", new Date(0)), '"1970-01-01T00:00:00.000Z"');
  });

  for (const [what, value, problem] of [
    ["a part that is a BigInt", { a: [{ b: 1n }] }, /^value: must .*: a\.0\.b: is a BigInt: give/],
    ["a part that is NaN", { a: null, b: [0, NaN] }, /^value: must .*: b\.1: is NaN, which is no/],
    ["NaN", NaN, /^value: must be something that JSON can express: is NaN/],
    ["what toJSON makes NaN of", { a: { toJSON: () => NaN } }, /: a: is NaN/],
    ["half of a surrogate pair", { a: ["\ud800"] }, /: a\.0: has half of a surrogate pair/],
    ["undefined", undefined, /^value: must be something that JSON can express$/],
    ["what cannot be looked at", { toJSON: () => assert.fail("no") }, /JSON can express: .*no$/],
  ] as const) {
    it(`is refused with its path: ${what}`, () => {
      assert.throws(
        () => toJsonText("value", value),
        (error) =>
          error instanceof TaskError &&
          error.code === "invalid_request" &&
          error.details.field === "value" &&
          problem.test(error.message),
      );
    });
  }

  it("names the field of a request as the coordinator does", () => {
    for (const [body, field] of [
      [{ payload: { id: 1n } }, "payload.id"],
      [{ metadata: { score: -Infinity } }, "metadata.score"],
      [{ tags: ["a\udfff"] }, "tags.0"],
    ] as const) {
      assert.throws(
        () => toRequestText(body),
        (error) =>
          error instanceof TaskError &&
          error.details.field === field &&
          error.message.startsWith(`${field}: `),
      );
    }
  });
});
