import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CHECKS } from "../../src/cli/doctor/checks.ts";
import { CODES } from "../../src/cli/doctor/finding-codes.ts";
import { read, section, table } from "../support/markdown.ts";

describe("docs/doctor.md", () => {
  it("lists everything that doctor can find, with its cure", () => {
    const rows = table(section(read("docs/doctor.md"), "Findings"), "Code");
    assert.deepEqual(
      rows.map((row) => [row.Code, row.Check, row.Verdict, row.Meaning, row.Cure]),
      Object.entries(CODES).map(([code, { check, verdict, meaning, cure }]) => [
        ...[code, check, verdict],
        meaning,
        `${cure.charAt(0).toUpperCase()}${cure.slice(1)}.`.replaceAll('"', ""),
      ]),
    );
  });

  it("says of each check what it looks at, in the order of the report", () => {
    const rows = table(section(read("docs/doctor.md"), "Checks"), "Check");
    assert.deepEqual(
      rows.map(({ Check }) => Check),
      CHECKS.map(({ name }) => name),
    );
  });

  it("names no check that does not exist", () => {
    const names = new Set(["any", ...CHECKS.map(({ name }) => name)]);
    for (const { check } of Object.values(CODES)) assert.ok(names.has(check), check);
  });
});
