/** A table whose rows arrive page by page, on a terminal of any width. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GrowingTable } from "../../../src/cli/list/growing-table.ts";

describe("a growing table", () => {
  it("aligns a page, and keeps the width of earlier pages", () => {
    const table = new GrowingTable(["ID", "TITLE"]);
    assert.equal(table.header([["a-long-id", "First"]]), "ID         TITLE");
    assert.equal(table.page([["a-long-id", "First"]]), "a-long-id  First\n");
    assert.equal(table.page([["b", "Second"]]), "b          Second\n");
    assert.equal(table.page([["an-even-longer-id", ""]]), "an-even-longer-id\n");
  });

  it("cuts the last column to the width of the terminal", () => {
    const table = new GrowingTable(["ID", "TITLE"], 12);
    const rows = ["12345678", "123456789", "日本語日", "日本語日本", "👩‍💻👩‍💻👩‍💻👩‍💻👩‍💻"];
    const lines = table.page(rows.map((title) => ["a", title])).split("\n");
    assert.deepEqual(lines.slice(0, 4), [
      "a  12345678",
      "a  123456789",
      "a  日本語日",
      "a  日本語日…",
    ]);
    assert.equal(lines[4], "a  👩💻👩💻…");
  });

  it("shows a title of several lines, or with control characters, in one line", () => {
    const table = new GrowingTable(["ID", "TITLE"]);
    assert.equal(table.page([["a", "one\ntwo\u001b[2J"]]), "a  one two␛[2J\n");
  });
});
