import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MAX_REQUEST_ID_LENGTH } from "../../src/protocol/fields.ts";
import { requestAfter } from "../../src/protocol/request-after.ts";
import { MAX_ID_LENGTH } from "../../src/protocol/subjects.ts";

const COMPLETE = { attempt: 1, status: "complete" } as const;

describe("the name of the request that follows a release", () => {
  it("consists of the attempt, the outcome and the task id", () => {
    const release = { attempt: 3, status: "available" } as const;
    assert.equal(requestAfter("P0.5.1", release), "after:3:available:P0.5.1");
  });

  it("has the hash of an id with which it would be too long for a request_id", () => {
    const fits = "a".repeat(MAX_REQUEST_ID_LENGTH - "after:1:complete:".length);
    assert.equal(requestAfter(fits, COMPLETE), `after:1:complete:${fits}`);
    assert.equal(
      requestAfter(`${fits}a`, COMPLETE),
      "after:1:complete:sha256:9b3043905ca79556acb1d2d12f9a4c0bed8ced2bd1a82e7cdf26743069be53e3",
    );
  });

  it("is short enough, and no two claims have the same", () => {
    const ids = ["a", "b"].flatMap((letter) => [letter, letter.repeat(MAX_ID_LENGTH)]);
    const names = ids.flatMap((id) =>
      [1, Number.MAX_SAFE_INTEGER].flatMap((attempt) =>
        (["complete", "available", "failed"] as const).map((status) =>
          requestAfter(id, { attempt, status }),
        ),
      ),
    );
    assert.equal(new Set(names).size, ids.length * 6);
    assert.ok(names.every(({ length }) => length <= MAX_REQUEST_ID_LENGTH));
  });
});
