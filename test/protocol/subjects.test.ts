/** Ids, and the subjects that contain them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  isValidId,
  MAX_ID_LENGTH,
  parseRequestSubject,
  requestSubject,
} from "../../src/protocol/subjects.ts";

const id = fc.stringMatching(/^[A-Za-z0-9_=/-]{1,9}(\.[A-Za-z0-9_=/-]{1,9}){0,3}$/);

describe("an id", () => {
  for (const good of [
    "P0.5.1",
    "a",
    "0",
    "session-1-ndi",
    "a/b=c_d-e",
    "a".repeat(MAX_ID_LENGTH),
  ]) {
    it(`can be ${shown(good)}`, () => {
      assert.equal(isValidId(good), true);
    });
  }

  const bad = [
    "",
    ".",
    ".a",
    "a.",
    "a..b",
    "x; rm -rf /",
    "a b",
    "a*",
    "*",
    ">",
    "a.>",
    "$KV.tasks",
  ];
  for (const id of [...bad, "a\n", "a\0", "ä", "a".repeat(MAX_ID_LENGTH + 1)]) {
    it(`cannot be ${shown(id)}`, () => {
      assert.equal(isValidId(id), false);
    });
  }
});

describe("a request's subject", () => {
  it("names the operation and an id with dots", () => {
    assert.deepEqual(parseRequestSubject("tasks.claim.P0.5.1"), {
      root: "tasks",
      operation: "claim",
      id: "P0.5.1",
      principal: null,
    });
    assert.deepEqual(parseRequestSubject("tasks.stats"), {
      root: "tasks",
      operation: "stats",
      id: "",
      principal: null,
    });
  });

  it("below the roots of agents and operators names the principal as well", () => {
    assert.deepEqual(parseRequestSubject("agent.alice.sessions.register.alice.1"), {
      root: "sessions",
      operation: "register",
      id: "alice.1",
      principal: { role: "agent", name: "alice" },
    });
    assert.deepEqual(parseRequestSubject("operator.ann.tasks.requeue.a"), {
      root: "tasks",
      operation: "requeue",
      id: "a",
      principal: { role: "operator", name: "ann" },
    });
  });

  it("keeps an invalid id unchanged, so that the validation can refuse it", () => {
    assert.equal(parseRequestSubject("tasks.get.a.*.>").id, "a.*.>");
  });

  it("is parsed into the parts that it was made of, for every id", () => {
    fc.assert(
      fc.property(fc.constantFrom("tasks", "sessions"), id, (root, name) => {
        const address = parseRequestSubject(requestSubject(root, "get", name));
        assert.deepEqual(address, { root, operation: "get", id: name, principal: null });
      }),
    );
  });
});

function shown(id: string): string {
  return id.length > 20 ? `${id.length} characters` : JSON.stringify(id);
}
