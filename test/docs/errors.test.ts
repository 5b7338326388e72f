import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ERRORS } from "../../src/protocol/errors.ts";
import { read, section, table } from "../support/markdown.ts";

describe("docs/errors.md", () => {
  const rows = table(section(read("docs/errors.md"), "Codes"), "Code");

  it("lists every code with its status and whether a retry may help", () => {
    assert.deepEqual(
      rows.map(({ Code, Status, Retryable }) => [Code, Status, Retryable]),
      Object.entries(ERRORS).map(([code, { status, retryable }]) => [
        code,
        String(status),
        retryable ? "yes" : "no",
      ]),
    );
  });

  it("says of every code what it means and what to do", () => {
    for (const row of rows) {
      assert.match(row.Meaning ?? "", /\w+.*\.$/, row.Code);
      assert.match(row["What to do"] ?? "", /\w+.*\.$/, row.Code);
    }
  });

  it("says of every code, and of no answer at all, whether a client retries", () => {
    const rules = table(section(read("docs/errors.md"), "When to retry"), "Answer");
    const text = rules.map((row) => Object.values(row).join(" ")).join("\n");
    for (const code of Object.keys(ERRORS)) assert.match(text, new RegExp(`\\b${code}\\b`));
    assert.match(text, /No responders/);
    assert.match(text, /No answer in time/);
  });
});
