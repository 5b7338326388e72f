import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Table, toMarkdown } from "../../bench/table.ts";

const TABLE: Table = {
  id: "speed",
  title: "Speed",
  columns: [{ title: "who" }, { title: "ops/s" }, { title: "ms", digits: 2 }],
  rows: [
    ["a", 12_345.6, 0.1234],
    ["bcd", null, NaN],
  ],
  drawn: { column: 1, names: 1 },
  notes: ["So it is."],
};

describe("a table of the benchmark as Markdown", () => {
  it("is aligned and rounded, and marks unknown figures", () => {
    assert.equal(
      toMarkdown(TABLE),
      [
        "| who |  ops/s |   ms |",
        "| --- | -----: | ---: |",
        "| a   | 12,346 | 0.12 |",
        "| bcd |      – |    – |",
        "",
        "- So it is.",
      ].join("\n"),
    );
  });
});
