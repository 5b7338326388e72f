import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { everyRevisionTold } from "../../src/history/reports.ts";
import { SyntheticHistory } from "../simulation/synthetic-history.ts";

describe("the comparison of a subscriber with the bucket", () => {
  it("does not require that a trimmed bucket still has every revision", () => {
    const { entries } = new SyntheticHistory().create("a").claim("a", "session-1");
    const told = entries.map(({ taskId, revision }) => ({ taskId, revision }));
    const kept = entries.slice(1);
    assert.deepEqual(everyRevisionTold(kept, told, { isWhole: false }), []);
    assert.deepEqual(everyRevisionTold(kept, told, { isWhole: true }), [
      { taskId: "a", what: "revision 1 was told but is not in the bucket" },
    ]);
  });
});
