/** The closed table of errors, and error replies. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CoordinatorError, ERROR_CODES, ERRORS, toErrorReply } from "../../src/protocol/errors.ts";

describe("the table of errors", () => {
  it("has exactly these codes, because other programs decide by them", () => {
    const rows = Object.entries(ERRORS).map(([code, error]) => {
      return `${code} ${error.status}${error.retryable ? " retryable" : ""}`;
    });
    assert.deepEqual(rows, [
      "invalid_request 400",
      "forbidden 403",
      "not_found 404",
      "already_exists 409",
      "already_claimed 409",
      "not_available 409",
      "not_holder 409",
      "lease_lost 409",
      "session_replaced 409",
      "missing_capabilities 409",
      "conflict 409 retryable",
      "too_large 413",
      "corrupt_record 422",
      "limit_reached 429",
      "overloaded 429 retryable",
      "unavailable 503 retryable",
      "bucket_unusable 503",
      "internal 500",
    ]);
  });

  it("has codes that a NATS header can contain unchanged", () => {
    for (const code of ERROR_CODES) assert.match(code, /^[a-z_]+$/);
  });
});

describe("an error's reply", () => {
  it("has the code, the message, whether to retry, the details and the task", () => {
    const error = new CoordinatorError("already_claimed", "P0.5.1 is claimed by session-1", {
      details: { claimed_by: "session-1" },
      task: { task_id: "P0.5.1" },
    });
    assert.deepEqual(toErrorReply(error), {
      ok: false,
      error: {
        code: "already_claimed",
        message: "P0.5.1 is claimed by session-1",
        retryable: false,
        claimed_by: "session-1",
      },
      task: { task_id: "P0.5.1" },
    });
  });

  it("has no task if none is known", () => {
    const reply = toErrorReply(new CoordinatorError("unavailable", "no leader"));
    assert.deepEqual(reply, {
      ok: false,
      error: { code: "unavailable", message: "no leader", retryable: true },
    });
  });

  it("has its own code even if a detail is named code", () => {
    const details = { code: "ok", message: "fine", retryable: true };
    const { error } = toErrorReply(new CoordinatorError("not_found", "no such task", { details }));
    assert.deepEqual(error, { code: "not_found", message: "no such task", retryable: false });
  });

  it("does not contain the cause, which only the log gets", () => {
    const cause = new Error("secret");
    const error = new CoordinatorError("internal", "a defect", { cause });
    assert.equal(error.cause, cause);
    assert.doesNotMatch(JSON.stringify(toErrorReply(error)), /secret/);
  });
});
