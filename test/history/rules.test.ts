import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { historyOf } from "../../src/history/history.ts";
import * as rules from "../../src/history/rules.ts";
import { SyntheticHistory } from "../simulation/synthetic-history.ts";

describe("the rules of a history", () => {
  it("let an operator end the attempt of a session", () => {
    const { entries } = new SyntheticHistory().create("a").claim("a", "session-1").cancel("a");
    const history = historyOf(entries);
    assert.deepEqual(rules.oneHolderPerAttempt(history), []);
    assert.deepEqual(rules.eventsChain(history), []);
  });

  it("compare the status of a task with its dependencies at the end", () => {
    const history = new SyntheticHistory().create("a").create("b", ["a"]);
    assert.deepEqual(rules.statusFollowsDependencies(history.entries), []);
    history.claim("a", "session-1").release("a", "complete");
    assert.deepEqual(rules.statusFollowsDependencies(history.entries), [
      { taskId: "b", what: "is still blocked, though all of its dependencies are complete" },
    ]);
    const { entries } = new SyntheticHistory().create("b", ["missing"]).unblock("b");
    assert.deepEqual(rules.statusFollowsDependencies(entries), [
      { taskId: "b", what: "is available, though missing is not complete" },
    ]);
  });

  it("do not require that a trimmed bucket still has every revision", () => {
    const { entries } = new SyntheticHistory().create("a").claim("a", "session-1");
    const told = entries.map(({ taskId, revision }) => ({ taskId, revision }));
    const kept = entries.slice(1);
    assert.deepEqual(rules.everyRevisionTold(kept, told, { isWhole: false }), []);
    assert.deepEqual(rules.everyRevisionTold(kept, told, { isWhole: true }), [
      { taskId: "a", what: "revision 1 was told but is not in the bucket" },
    ]);
  });
});
