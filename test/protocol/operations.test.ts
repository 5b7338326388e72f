/** The table of operations and the JSON Schemas that are published from it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  OPERATION_IDS,
  OPERATION_NAMES,
  OPERATIONS,
  schemasOf,
} from "../../src/protocol/operations.ts";
import { parseBody } from "../../src/protocol/parse-request.ts";

interface ObjectSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly additionalProperties?: unknown;
  readonly required?: readonly string[];
}

describe("the table of operations", () => {
  it("has exactly these operations, because other programs send them", () => {
    assert.deepEqual(
      OPERATION_NAMES.map((name) => `${name} ${OPERATION_IDS[name]}`),
      [
        "tasks.create optional",
        "tasks.import none",
        "tasks.claim required",
        "tasks.next none",
        "tasks.renew required",
        "tasks.release required",
        "tasks.get required",
        "tasks.list none",
        "tasks.history required",
        "tasks.changes none",
        "tasks.verify required",
        "tasks.update required",
        "tasks.cancel required",
        "tasks.requeue required",
        "tasks.stats none",
        "sessions.register required",
        "sessions.heartbeat required",
        "sessions.list none",
        "sessions.unregister required",
      ],
    );
  });

  it("has an example of each body that is accepted", () => {
    for (const name of OPERATION_NAMES) {
      parseBody(name, JSON.stringify(OPERATIONS[name].example));
    }
  });

  it("keeps raw import and requeue to operators", () => {
    const operators = OPERATION_NAMES.filter((name) => "operatorsOnly" in OPERATIONS[name]);
    assert.deepEqual(operators, ["tasks.import", "tasks.requeue"]);
  });

  for (const name of OPERATION_NAMES) {
    it(`publishes JSON Schemas of ${name}`, () => {
      const schemas = schemasOf(name);
      assert.deepEqual(JSON.parse(JSON.stringify(schemas)), schemas);
      const request = schemas.request as ObjectSchema;
      assert.equal(request.type, "object");
      assert.equal(request.additionalProperties, false, "unknown fields are refused");
      assert.deepEqual(
        Object.keys(request.properties ?? {}),
        Object.keys(OPERATIONS[name].request.shape),
      );
      const reply = schemas.reply as ObjectSchema;
      assert.ok(reply.required?.includes("ok"));
      const closed = JSON.stringify(reply).includes('"additionalProperties":false');
      assert.ok(!closed, "a later version may answer with more fields");
    });
  }

  it("says that an option can be null, and a required field cannot", () => {
    const { properties } = schemasOf("tasks.claim").request as ObjectSchema;
    const typeOf = (name: string): unknown => (properties?.[name] as ObjectSchema).type;
    assert.deepEqual(typeOf("ttl_seconds"), ["integer", "null"]);
    assert.deepEqual(typeOf("release_on_disconnect"), ["object", "null"]);
    assert.equal(typeOf("session_id"), "string");
  });

  it("requires only fields without a default", () => {
    const { required } = schemasOf("tasks.next").request as ObjectSchema;
    assert.deepEqual(required, ["session_id"]);
  });
});
