import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { jsonText } from "../../../src/cli/shared/json-text.ts";

describe("JSON for a terminal", () => {
  it("has no character that commands the terminal, and is the same document", () => {
    const document = { "a\u009b31m": ["\u001b]0;x\u0007", "\u007f\u202e", "ü 🔄 \u200d"] };
    const text = jsonText(document);
    assert.equal(text, String.raw`{"a\u009b31m":["\u001b]0;x\u0007","\u007f\u202e","ü 🔄 ‍"]}`);
    assert.deepEqual(JSON.parse(text), document);
  });
});
