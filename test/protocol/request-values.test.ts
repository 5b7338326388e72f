/** Requests with a value that JavaScript cannot keep are refused, with its path and the cure. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CoordinatorError } from "../../src/protocol/errors.ts";
import { parseBody } from "../../src/protocol/parse-request.ts";

describe("a value that cannot be kept", () => {
  for (const [operation, body, field, problem] of [
    [
      "tasks.create",
      '{"payload":{"rows":[{"id":1970670598291982290}]}}',
      "payload.rows.0.id",
      /the number 1970670598291982290 would become 1970670598291982300: send it as a string$/,
    ],
    ["tasks.release", '{"session_id":"a","status":"complete","result":1e400}', "result", /1e400/],
    ["tasks.release", '{"session_id":"a","status":"failed","error":[1e400]}', "error.0", /1e400/],
    ["tasks.renew", '{"session_id":"a","progress":{"a":1e-400}}', "progress.a", /become 0: send/],
    [
      "tasks.import",
      '{"tasks":[{},{"metadata":{"pi":3.14159265358979323846}}]}',
      "tasks.1.metadata.pi",
      /would become 3\.141592653589793: send it as a string$/,
    ],
    ["tasks.verify", '{"attempt":9007199254740993}', "attempt", /would become 9007199254740992/],
    ["tasks.create", '{"unknown":[9007199254740993]}', "unknown.0", /send it as a string$/],
    ["tasks.create", '{"title":"\\ud800"}', "title", /surrogate pair.*send well-formed Unicode$/],
    ["tasks.create", '{"tags":["\\ude00\\ud83d"]}', "tags.0", /surrogate/],
    ["tasks.create", '{"metadata":{"\\udfff":1}}', "metadata.\ufffd", /surrogate/],
    ["tasks.next", '{"session_id":"a","request_id":"\\uD800"}', "request_id", /surrogate/],
    ["tasks.cancel", '{"reason":"\\udc80.txt"}', "reason", /surrogate/],
    ["sessions.register", '{"capabilities":["\\udc80"]}', "capabilities.0", /surrogate/],
  ] as const) {
    it(`is refused: ${operation} ${body}`, () => {
      assert.throws(
        () => parseBody(operation, body),
        (error) => {
          assert.ok(error instanceof CoordinatorError);
          assert.deepEqual([error.code, error.details], ["invalid_request", { field }]);
          assert.ok(error.message.startsWith(`${field}: `));
          return problem.test(error.message);
        },
      );
    });
  }

  it("is not confused with values that only look like one", () => {
    const payload = { id: "1970670598291982290", ids: [1e100, 0.1], text: "1e400 \\ud800 😀" };
    assert.deepEqual(parseBody("tasks.create", JSON.stringify({ payload })).payload, payload);
    const escaped = parseBody("tasks.create", '{"title":"\\ud83d\\ude00"}');
    assert.equal(escaped.title, "😀");
  });
});
