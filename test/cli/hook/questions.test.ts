/** The questions of hooks: what the answers of a coordinator mean for a claim. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { answerTo, type Call } from "../../../src/cli/hook/questions.ts";
import { TaskError } from "../../../src/client/task-error.ts";
import { ERROR_CODES, type ErrorCode } from "../../../src/protocol/errors.ts";

const CLAIM = { task_id: "a", attempt: 1, session_id: "s1" };
const NOT_HELD = { ...CLAIM, holds: false, holder: null };
/** Refusals from which the hook learns nothing about the claim. */
const UNKNOWN = [
  "invalid_request",
  "forbidden",
  "conflict",
  "overloaded",
  "unavailable",
  "internal",
];

function refusing(code: ErrorCode): Call {
  return () => Promise.reject(new TaskError(code, "no"));
}

describe("whether a claim holds", () => {
  it("is answered with no for a task that is gone, or that the agent may not see", async () => {
    const question = { kind: "verify", claims: [CLAIM] } as const;
    assert.deepEqual(await answerTo(question, refusing("not_found")), [NOT_HELD]);
  });

  for (const code of ERROR_CODES.filter((other) => other !== "not_found")) {
    it(`is not known after ${code}`, async () => {
      const question = { kind: "verify", claims: [CLAIM] } as const;
      await assert.rejects(answerTo(question, refusing(code)), { code });
    });
  }
});

describe("a claim that is given back", () => {
  const question = { kind: "giveBack", claims: [CLAIM] } as const;

  for (const code of ["lease_lost", "not_holder", "not_available", "not_found"] as const) {
    it(`has ended already if the answer is ${code}`, async () => {
      assert.deepEqual(await answerTo(question, refusing(code)), [NOT_HELD]);
    });
  }

  for (const code of ERROR_CODES.filter((other) => UNKNOWN.includes(other))) {
    it(`may still be held after ${code}`, async () => {
      await assert.rejects(answerTo(question, refusing(code)), { code });
    });
  }
});
