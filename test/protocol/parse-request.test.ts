/** Bad bodies: each is refused with a message that names the field and the cure. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { z } from "zod";
import { CoordinatorError } from "../../src/protocol/errors.ts";
import { type Operation, OPERATION_NAMES, schemasOf } from "../../src/protocol/operations.ts";
import { firstIssueInLists } from "../../src/protocol/first-issue.ts";
import { parseBody } from "../../src/protocol/parse-request.ts";
import { refusalOf } from "./refusal-of.ts";

interface BadBody {
  readonly operation: Operation;
  readonly body: string;
  /** Is in the error's details and in its message; `null` if the whole body is wrong. */
  readonly field: string | null;
  readonly message: RegExp;
}

const BAD_BODIES: readonly BadBody[] = [
  bad("tasks.claim", "{", null, /not valid JSON .*: send a JSON object/),
  bad("tasks.claim", '{"session_id":"a"}{}', null, /not valid JSON/),
  bad("tasks.claim", "{", null, /: send a JSON object such as {"session_id":"session-1"}$/),
  bad("tasks.create", "{", null, /: send a JSON object such as {"title":"Say hello"}$/),
  bad("tasks.claim", "[]", null, /must be a JSON object, not an array: send .* such as /),
  bad("tasks.import", "[]", null, /not an array: send {"tasks":\[\.\.\.\]}$/),
  bad("sessions.heartbeat", "[]", null, /not an array: send {"claims":\[\.\.\.\]}$/),
  bad("tasks.stats", "[]", null, /not an array: send {}, or nothing at all$/),
  bad("tasks.claim", '"x"', null, /must be a JSON object, not a string: send/),
  bad("tasks.claim", "null", null, /must be a JSON object, not null: send/),
  bad("tasks.claim", "7", null, /must be a JSON object, not a number: send/),
  bad("tasks.claim", "", "session_id", /is required and must be a value of type string/),
  bad("tasks.claim", '{"session_id":null}', "session_id", /is required and must be .* string/),
  bad("tasks.claim", '{"session_id":5}', "session_id", /must be a value of type string, not 5/),
  bad("tasks.claim", '{"session_id":"a..b"}', "session_id", /must be a session id: 1 to 256/),
  bad("tasks.claim", '{"session_id":"*"}', "session_id", /must be a session id.*; without "\*"$/),
  bad("tasks.claim", '{"session_id":"host:7"}', "session_id", /use "." or "-" instead of ":"$/),
  bad("tasks.claim", '{"session_id":"a b"}', "session_id", /use "." or "-" instead of " "$/),
  bad("tasks.claim", '{"session_id":"a\\nb"}', "session_id", /instead of "\\n"$/),
  bad("tasks.claim", '{"sessionId":"a"}', "session_id", /is required/),
  bad("tasks.next", '{"session_id":"a","waitSeconds":1}', "waitSeconds", /mean wait_seconds\?\)/),
  bad(
    "tasks.next",
    '{"session_id":"a","release_on_disconnect":{"server_id":"N","client_id":1,"id":2}}',
    "release_on_disconnect.id",
    /; release_on_disconnect knows server_id, client_id$/,
  ),
  bad(
    "sessions.heartbeat",
    '{"claims":[{"task_id":"a","attempt":1,"x":1}]}',
    "claims.0.x",
    /unknown field "claims\.0\.x"; claims\.0 knows task_id, attempt$/,
  ),
  bad("tasks.claim", '{"session_id":"a","ttl":5}', "ttl", /unknown field.*knows.*ttl_seconds/),
  bad("tasks.claim", '{"session_id":"a","__proto__":5}', "__proto__", /unknown field/),
  ...["0", "-1", "1e9"].map((ttl) =>
    bad(
      "tasks.claim",
      `{"session_id":"a","ttl_seconds":${ttl}}`,
      "ttl_seconds",
      /must be between 1 and 86400 seconds/,
    ),
  ),
  bad(
    "tasks.claim",
    '{"session_id":"a","ttl_seconds":1.5}',
    "ttl_seconds",
    /whole number, not 1\.5/,
  ),
  bad("tasks.claim", '{"session_id":"a","ttl_seconds":"5"}', "ttl_seconds", /number, not "5"/),
  bad("tasks.claim", '{"session_id":"a","capabilities":[7]}', "capabilities.0", /type string/),
  bad("tasks.next", '{"session_id":"a","wait_seconds":61}', "wait_seconds", /between 0 and 60/),
  bad("tasks.next", '{"session_id":"a","max":0}', "max", /must be at least 1/),
  bad("tasks.renew", '{"session_id":"a","attempt":-1}', "attempt", /must be at least 0/),
  bad(
    "tasks.release",
    '{"session_id":"a"}',
    "status",
    /is required and must be one of available, complete, failed/,
  ),
  bad(
    "tasks.release",
    '{"session_id":"a","status":"done"}',
    "status",
    /must be one of available, complete, failed/,
  ),
  bad("tasks.create", '{"priority":5}', "priority", /between 0 \(most urgent\) and 4/),
  bad("tasks.create", '{"depends_on":"a"}', "depends_on", /must be a value of type array/),
  bad("tasks.create", '{"depends_on":["a","b c"]}', "depends_on.1", /must be a task id/),
  bad("tasks.create", '{"tags":[""]}', "tags.0", /must not be empty/),
  bad(
    "tasks.create",
    '{"metadata":{"__proto__":1}}',
    "metadata",
    /must not have a field named __proto__: use another name/,
  ),
  bad("tasks.create", '{"metadata":[]}', "metadata", /must be a value of type object, not \[\]/),
  bad("tasks.create", '{"max_failures":0}', "max_failures", /must be at least 1/),
  bad("tasks.import", "{}", "tasks", /is required/),
  bad("tasks.import", '{"tasks":[]}', "tasks", /at least one task/),
  bad(
    "tasks.import",
    '{"tasks":[{"task_id":"a","titel":""}]}',
    "tasks.0.titel",
    /did you mean title\?\); tasks\.0 knows task_id, title, /,
  ),
  bad("tasks.import", '{"tasks":[{"title":""}]}', "tasks.0.task_id", /is required/),
  bad("tasks.get", '{"x":1}', "x", /tasks\.get knows no fields/),
  bad("tasks.list", '{"status":"done"}', "status", /one or a list of blocked, available/),
  bad("tasks.list", '{"limit":1001}', "limit", /must be at most 1000/),
  bad("tasks.changes", '{"since":-1}', "since", /must be at least 0/),
  bad(
    "tasks.verify",
    "{}",
    "fencing_token",
    /name the fencing_token, the attempt or the session_id/,
  ),
  bad("tasks.cancel", '{"force":"yes"}', "force", /must be a value of type boolean, not "yes"/),
  bad("sessions.heartbeat", '{"claims":[{"task_id":"a"}]}', "claims.0.attempt", /is required/),
];

/** Optional fields that accept `null` as a value. */
const NULL_IS_A_VALUE = new Set([
  ...["payload", "description", "not_before", "progress", "result", "error"],
]);

describe("a request's body", () => {
  for (const { operation, body, field, message } of BAD_BODIES) {
    it(`of ${operation} is refused: ${body === "" ? "nothing" : body}`, () => {
      const error = refusalOf(() => parseBody(operation, body));
      assert.match(error.message, message);
      assert.deepEqual(error.details, field === null ? {} : { field });
      if (field !== null) assert.ok(error.message.includes(field), error.message);
    });
  }

  it("is given back with every default filled in", () => {
    assert.deepEqual(parseBody("tasks.next", '{"session_id":"a"}'), {
      session_id: "a",
      capabilities: [],
      wait_seconds: 0,
      max: 1,
      tags: [],
      prefix: "",
    });
  });

  for (const operation of OPERATION_NAMES) {
    it(`of ${operation} may have null for every option that it does not use`, () => {
      const { required = [], properties = {} } = schemasOf(operation).request as {
        required?: string[];
        properties?: object;
      };
      const complete = REQUIRED_FIELDS[operation] ?? {};
      const options = Object.keys(properties).filter((name) => !required.includes(name));
      const unused = Object.fromEntries(options.map((name) => [name, null]));
      const values = options.filter((name) => NULL_IS_A_VALUE.has(name));
      assert.deepEqual(parseBody(operation, JSON.stringify({ ...unused, ...complete })), {
        ...parseBody(operation, JSON.stringify(complete)),
        ...Object.fromEntries(values.map((name) => [name, null])),
      });
    });
  }

  it("may have null for an option at any level, and never for what is required", () => {
    const tasks = [
      { task_id: "a", title: null, payload: { kept: null }, metadata: { kept: null } },
    ];
    assert.deepEqual(parseBody("tasks.import", JSON.stringify({ tasks })).tasks, [
      { task_id: "a", payload: { kept: null }, metadata: { kept: null } },
    ]);
    for (const [operation, body, field] of [
      ["tasks.claim", { session_id: null }, "session_id"],
      ["tasks.release", { session_id: "a", status: null }, "status"],
      ["tasks.import", { tasks: [{ task_id: null }] }, "tasks.0.task_id"],
      ["sessions.heartbeat", { claims: [{ task_id: "a", attempt: null }] }, "claims.0.attempt"],
      [
        "tasks.claim",
        { session_id: "a", release_on_disconnect: { server_id: null, client_id: 1 } },
        "release_on_disconnect.server_id",
      ],
    ] as const) {
      const error = refusalOf(() => parseBody(operation, JSON.stringify(body)));
      assert.match(error.message, /is required and must/);
      assert.deepEqual(error.details, { field });
    }
  });

  it("is refused when it has null for a field that the operation does not know", () => {
    const error = refusalOf(() => parseBody("tasks.claim", '{"session_id":"a","ttl":null}'));
    assert.match(error.message, /unknown field "ttl"/);
  });

  it("can be left out if nothing is required", () => {
    for (const text of ["", "  \n", "{}"]) assert.deepEqual(parseBody("tasks.stats", text), {});
  });

  it("is quoted only in part", () => {
    const body = JSON.stringify({ session_id: "a", capabilities: "x".repeat(10_000) });
    const error = refusalOf(() => parseBody("tasks.claim", body));
    assert.ok(error.message.length < 300);
  });

  it("is refused by its first wrong entry, without a look at the others", () => {
    let looks = 0;
    const entry = z.object({ id: z.string() }).superRefine(() => {
      looks++;
    });
    const schema = z.object({ entries: z.array(entry).optional() });
    const entries: unknown[] = Array.from({ length: 1_000 }, () => 1);
    entries.unshift({ id: "a" }, { id: "b" });
    const issue = firstIssueInLists(schema, { entries });
    assert.deepEqual(issue?.path, ["entries", 2]);
    assert.equal(looks, 2);
  });

  it("is refused with the same words whether it is long or short", () => {
    for (const tasks of [[7], [{ title: "a" }], [{ task_id: "a", title: 7, x: 1 }]]) {
      const short = refusalOf(() => parseBody("tasks.import", JSON.stringify({ tasks })));
      const many = Array.from({ length: 100_000 }, () => tasks[0]);
      const long = refusalOf(() => parseBody("tasks.import", JSON.stringify({ tasks: many })));
      assert.deepEqual([long.message, long.details], [short.message, short.details]);
    }
  });

  it("is refused when a field is a value nested 100,000 deep", () => {
    const deep = "[".repeat(100_000) + "]".repeat(100_000);
    const error = refusalOf(() => parseBody("tasks.claim", `{"session_id":${deep}}`));
    assert.match(error.message, /nested more than 64 levels/);
  });

  it("is refused when it is nested so deep that it could not be written again", () => {
    const deep = "[".repeat(100_000) + "]".repeat(100_000);
    refusalOf(() => parseBody("tasks.create", `{"payload":${deep}}`));
  });

  it("of any kind is either accepted or refused with an error code", () => {
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .dictionary(
          fc.constantFrom("session_id", "attempt", "status", "tasks", "claims", "tags", "x"),
          fc.jsonValue(),
        )
        .map((body) => JSON.stringify(body)),
    );
    fc.assert(
      fc.property(fc.constantFrom(...OPERATION_NAMES), text, (operation, body) => {
        try {
          assert.equal(typeof parseBody(operation, body), "object");
        } catch (error) {
          assert.ok(error instanceof CoordinatorError);
          assert.equal(error.code, "invalid_request");
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

/** The required fields of each body, and one of those that `verify` asks for. */
const REQUIRED_FIELDS: Partial<Record<Operation, object>> = {
  "tasks.import": { tasks: [{ task_id: "a" }] },
  "tasks.claim": { session_id: "a" },
  "tasks.next": { session_id: "a" },
  "tasks.renew": { session_id: "a" },
  "tasks.release": { session_id: "a", status: "complete" },
  "tasks.verify": { session_id: "a" },
};

function bad(operation: Operation, body: string, field: string | null, message: RegExp): BadBody {
  return { operation, body, field, message };
}
