/** The quick check accepts the usual bodies, and nothing that the schema refuses or reads differently. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { nullDropper } from "../../src/protocol/null-fields.ts";
import { type Operation, OPERATIONS } from "../../src/protocol/operations.ts";
import { quickBody } from "../../src/protocol/quick-request-check.ts";
import { json } from "./arbitrary-task.ts";

const CONNECTION = { server_id: "NABC", client_id: 7 };
const NEXT = {
  ttl_seconds: 60,
  capabilities: ["gpu"],
  release_on_disconnect: CONNECTION,
  wait_seconds: 20,
  max: 50,
  tags: ["docs"],
  prefix: "P0.",
};
const HOLDER = { session_id: "s1", instance: "i1", attempt: 1 };
/** Every field that the quick check knows. */
const BODIES = {
  "tasks.claim": {
    session_id: "s1",
    instance: "i1",
    ttl_seconds: 60,
    capabilities: [],
    release_on_disconnect: CONNECTION,
  },
  "tasks.next": { session_id: "s1", instance: "i1", request_id: "r1", ...NEXT },
  "tasks.renew": {
    ...HOLDER,
    ttl_seconds: 60,
    release_on_disconnect: CONNECTION,
    progress: 0.5,
  },
  "tasks.release": {
    ...HOLDER,
    status: "complete",
    result: { done: true },
    error: "none",
    retry: false,
    next: NEXT,
  },
} as const satisfies Partial<Record<Operation, object>>;
/** Fields that it does not know. */
const OTHERS = ["delay_seconds", "resume_at", "cause", "something else"];
type Hot = keyof typeof BODIES;
const HOT = Object.keys(BODIES) as Hot[];

/** Any JSON, and values that are nearly right. */
const value = fc.oneof(
  json,
  fc.constantFrom<unknown>(
    ...["", "s1", "a..b", "complete", "available", "failed", "x".repeat(129), "x".repeat(257)],
    ...[-1, 0, 0.5, 1, 60, 61, 100, 101, 86_401, 2 ** 53],
    ...[null, true, [], {}, ["a", ""], ["a"], [null], CONNECTION, { ...CONNECTION, more: 1 }],
    ...[NEXT, { max: 1 }, { ...NEXT, session_id: "s1" }, { ...NEXT, max: null }],
    JSON.parse('{"__proto__":1}') as unknown,
  ),
);

/** Some of the fields, of which one may have another value. */
const request = fc.constantFrom(...HOT).chain((operation) => {
  const fields = Object.entries(BODIES[operation]);
  return fc.record({
    operation: fc.constant(operation),
    fields: fc.subarray(fields, { minLength: 1 }),
    changed: fc.option(
      fc.tuple(fc.constantFrom(...fields.map(([name]) => name), ...OTHERS), value),
    ),
  });
});

describe("the quick check of a request's body", () => {
  it("recognizes what clients usually send", () => {
    const bodies: [Hot, object][] = [
      ["tasks.claim", { session_id: "s1" }],
      ["tasks.claim", { session_id: "s1", instance: "i", ttl_seconds: 60, capabilities: ["a"] }],
      ["tasks.next", { session_id: "s1", wait_seconds: 20, max: 10, request_id: "r", tags: [] }],
      ["tasks.renew", { ...HOLDER, ttl_seconds: 60, progress: { percent: 5 } }],
      ["tasks.release", { ...HOLDER, status: "complete", result: null, next: { max: 1 } }],
      ["tasks.release", { ...HOLDER, status: "failed", error: "no", retry: false }],
    ];
    for (const [operation, body] of bodies) {
      assert.notEqual(quickBody(operation, structuredClone(body)), null, operation);
    }
  });

  it("accepts nothing that the schema would refuse or read in another way", () => {
    let [passed, refused] = [0, 0];
    fc.assert(
      fc.property(request, ({ operation, fields, changed }) => {
        const body = Object.fromEntries(changed === null ? fields : [...fields, changed]);
        const text = JSON.stringify(body);
        const quick = quickBody(operation, JSON.parse(text));
        if (quick === null) {
          refused++;
          return;
        }
        passed++;
        const { request: schema } = OPERATIONS[operation];
        const given: unknown = JSON.parse(text);
        nullDropper(schema)(given);
        assert.deepEqual({ ...quick }, schema.parse(given));
      }),
      { numRuns: 20_000 },
    );
    // Both must be common.
    assert.ok(passed > 1_000 && refused > 1_000, `${passed} passed, ${refused} did not`);
  });

  it("leaves other operations, and bodies that are not objects, to the schema", () => {
    assert.equal(quickBody("tasks.list", {}), null);
    for (const body of [null, [], "s1", 1]) assert.equal(quickBody("tasks.claim", body), null);
  });
});
