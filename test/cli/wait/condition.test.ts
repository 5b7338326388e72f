/** What can be waited for. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseCondition, verdictOn } from "../../../src/cli/wait/condition.ts";

describe("the condition of a wait", () => {
  it("is finished, a status, or several statuses", () => {
    assert.deepEqual(parseCondition("finished").wanted, ["complete", "failed", "cancelled"]);
    assert.deepEqual(parseCondition("status=complete").wanted, ["complete"]);
    assert.equal(parseCondition("claimed,available").text, "available or claimed");
  });

  it("is refused with the names that can be used", () => {
    for (const text of ["", "done", "complete,", "finished,complete", "COMPLETE"]) {
      assert.throws(() => parseCondition(text), /one of finished, blocked, available, /, text);
    }
  });

  it("knows when a task will not fulfil it any more", () => {
    const complete = parseCondition("complete");
    const verdicts = [
      "blocked",
      "claimed",
      "complete",
      "failed",
      "cancelled",
      "of-a-later-version",
    ];
    assert.deepEqual(
      verdicts.map((status) => verdictOn(status, complete)),
      ["open", "open", "holds", "hopeless", "hopeless", "open"],
    );
    assert.equal(verdictOn("failed", parseCondition("finished")), "holds");
    assert.equal(verdictOn("complete", parseCondition("claimed")), "hopeless");
  });
});
