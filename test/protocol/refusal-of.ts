import assert from "node:assert/strict";
import { CoordinatorError } from "../../src/protocol/errors.ts";

/** The error with which a request is refused as invalid. */
export function refusalOf(parse: () => unknown): CoordinatorError {
  try {
    parse();
  } catch (error) {
    assert.ok(error instanceof CoordinatorError, String(error));
    assert.equal(error.code, "invalid_request");
    return error;
  }
  return assert.fail("was not refused");
}
