import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { garbage, hostileGarbage } from "../../scripts/lab/garbage.ts";
import { addressOf, expectationOf } from "../../scripts/fuzz/expectation.ts";
import { TASK_NAMES } from "../../scripts/fuzz/world.ts";

const CLAIMING = ["tasks.next", "tasks.create", "tasks.import"];

describe("the garbage of a chaos run", () => {
  const messages = garbage(1, 2_000);

  it("is the same for the same seed", () => {
    assert.deepEqual(garbage(1, 20), messages.slice(0, garbage(1, 20).length));
  });

  it("goes to every endpoint", () => {
    const operations = new Set(messages.map(({ subject }) => addressOf(subject)?.operation));
    operations.delete(undefined);
    assert.equal(operations.size, 19);
  });

  it("creates and claims no task, and names no task of a session", () => {
    for (const message of messages) {
      const expected = expectationOf(message);
      if (expected.kind !== "answer" || expected.codes.length === 1) continue;
      assert.ok(!CLAIMING.includes(expected.operation), expected.operation);
      const id = addressOf(message.subject)?.id ?? "";
      const named = expected.operation.startsWith("tasks.") && id !== "";
      assert.ok(!named || TASK_NAMES.includes(id) || !id.startsWith("chaos"), id);
    }
  });
});

describe("the garbage of an agent with an account of its own", () => {
  it("names the tasks and sessions of the run, and is refused there", () => {
    const messages = hostileGarbage(1, 500, ["chaos1", "chaos2"]);
    const ofOthers = messages.filter(({ source }) => source === "of others");
    assert.ok(ofOthers.length > 100);
    for (const message of ofOthers) {
      const expected = expectationOf(message);
      assert.ok(expected.kind === "answer", message.subject);
      assert.deepEqual(expected.codes, ["forbidden"], message.subject);
    }
    assert.ok(messages.some(({ source }) => source !== "of others"));
  });
});
