import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CoordinatorError } from "../../src/protocol/errors.ts";
import { EncodedJson, encodeBody } from "../../src/protocol/encoded-json.ts";
import { EncodedRecord, encodeTask } from "../../src/protocol/task-record.ts";
import { viewerOf } from "../../src/service/viewer.ts";
import { availableTask, claimedTask } from "../task/sample-task.ts";

const S1 = { role: "agent", name: "s1" } as const;
const viewer = (visibility: "definitions" | "own") => viewerOf(visibility, S1) ?? assert.fail();

describe("a viewer", () => {
  it("exists for agents that do not see everything, and for nobody else", () => {
    assert.equal(viewerOf("all", S1), null);
    assert.equal(viewerOf("own", null), null);
    assert.equal(viewerOf("own", { role: "operator", name: "s1" }), null);
    assert.notEqual(viewerOf("definitions", S1), null);
  });

  it("leaves out fields that this version does not know", () => {
    const task = { ...availableTask(), unknownFields: { later: "secret" }, payload: "secret" };
    for (const record of [new EncodedRecord(task), encodeTask(task)]) {
      const { body } = viewer("definitions").answer("tasks.create", { body: { task: record } });
      const text = encodeBody(body).toString();
      assert.doesNotMatch(text, /secret|later/);
      assert.match(text, /"redacted":true/);
    }
  });

  it("passes on the bytes of a record that belongs to the agent", () => {
    const record = new EncodedRecord({ ...availableTask(), createdBy: "agent.s1" });
    assert.equal(viewer("own").record(record), record);
    const other = viewer("own").record(new EncodedRecord({ ...availableTask(), createdBy: null }));
    assert.ok(other instanceof EncodedJson && !(other instanceof EncodedRecord));
  });

  it("takes an agent whose name begins in the same way for another one", () => {
    const task = { createdBy: null, claimedBy: null, completedBy: null };
    for (const [session, isOwn] of [
      ["s1", true],
      ["s1.laptop", true],
      ["s10", false],
      ["s1-a", false],
      ["s", false],
    ] as const) {
      assert.equal(viewer("own").isOwn({ ...task, claimedBy: session }), isOwn, session);
      assert.equal(viewer("own").isOwn({ ...task, completedBy: session }), isOwn, session);
    }
    assert.equal(viewer("own").isOwn({ ...task, createdBy: "agent.s10" }), false);
    assert.equal(viewer("own").isOwn({ ...task, createdBy: "session.s1" }), false);
  });

  it("shows no hidden task in a refusal", () => {
    const task = encodeTask(claimedTask({ claimedBy: "s2" }));
    const error = new CoordinatorError("already_claimed", "no", { task, details: { a: 1 } });
    const shown = viewer("own").error(error) as CoordinatorError;
    assert.deepEqual(
      [shown.code, shown.task, shown.details],
      ["already_claimed", undefined, { a: 1 }],
    );
    const redacted = viewer("definitions").error(error) as CoordinatorError;
    assert.equal((redacted.task as { redacted?: boolean }).redacted, true);
    const large = { task_id: "hidden", since: 7, size: 9, limit: 8 };
    const tooLarge = new CoordinatorError("too_large", "task hidden is large", { details: large });
    const masked = viewer("own").error(tooLarge) as CoordinatorError;
    assert.doesNotMatch(JSON.stringify(masked.details) + masked.message, /hidden/);
    assert.equal(masked.details.since, 7);
  });
});
