import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { hasTags } from "../../src/task/eligibility.ts";

const tag = fc.integer({ min: 0, max: 40 }).map((number) => `tag-${number}`);
const tags = fc.array(tag, { maxLength: 30 });

describe("the tags of a task", () => {
  it("are all that are wanted, or not, however many there are", () => {
    fc.assert(
      fc.property(tags, tags, (has, wanted) => {
        const lacks = wanted.filter((one) => !has.includes(one));
        assert.equal(hasTags(has, wanted), lacks.length === 0);
        assert.ok(hasTags([...has, ...wanted], wanted));
      }),
    );
  });
});
