/** Bad ids: each is refused with a message that names the rule. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseId } from "../../src/protocol/parse-id.ts";
import { refusalOf } from "./refusal-of.ts";

describe("a request's id", () => {
  it("is taken from the subject if the operation needs one", () => {
    assert.equal(parseId("tasks.claim", "P0.5.1"), "P0.5.1");
    assert.equal(parseId("tasks.create", "P0.5.1"), "P0.5.1");
    assert.equal(parseId("sessions.register", "session-1"), "session-1");
  });

  it("is undefined if there is none and none is needed", () => {
    assert.equal(parseId("tasks.create", ""), undefined);
    // eslint-disable-next-line @typescript-eslint/no-confusing-void-expression -- the test is about the value
    assert.equal(parseId("tasks.stats", ""), undefined);
  });

  it("is required with the subject to use, if it is missing", () => {
    const task = refusalOf(() => parseId("tasks.claim", ""));
    assert.match(task.message, /task id is missing: send the request to tasks\.claim\.<task_id>/);
    const session = refusalOf(() => parseId("sessions.register", ""));
    assert.match(session.message, /session id is missing: .* sessions\.register\.<session_id>/);
  });

  it("is refused if the operation takes none", () => {
    const refusal = refusalOf(() => {
      parseId("tasks.stats", "a");
    });
    assert.match(refusal.message, /takes no id/);
  });

  const long = "a".repeat(257);
  for (const id of ["x; rm -rf /", "a..b", ".a", "a.", "a.*", "a.>", "$KV.tasks.a", long]) {
    it(`is refused with the rule for ids: ${id.slice(0, 20)}`, () => {
      const error = refusalOf(() => parseId("tasks.get", id));
      assert.match(error.message, /^task_id: .* is not a task id: use 1 to 256 characters/);
      assert.deepEqual(error.details, { field: "task_id" });
      assert.ok(error.message.length < 300);
    });
  }
});
