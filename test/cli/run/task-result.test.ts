import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { type CommandResult, readResult, valueOf } from "../../../src/cli/run/task-result.ts";
import { TempFolder } from "../../support/temp-folder.ts";

const LAST_LINE = { bytes: Buffer.from("log\n42\n"), isCut: false };

function value(of: unknown, from: "file" | "output" = "file"): CommandResult {
  return { kind: "value", value: of, from, isCut: false };
}

describe("a result as text", () => {
  const deep = `${"[".repeat(65)}${"]".repeat(65)}`;
  for (const [text, expected] of [
    ['{"pages":3}\n', { pages: 3 }],
    ["[1,2]", [1, 2]],
    ["42\n", 42],
    ["null", null],
    ['"a"', "a"],
    ["done\n", "done"],
    ["two\nlines\n", "two\nlines"],
    ["{broken", "{broken"],
    ["", null],
    [" \n", null],
    ["12345678901234567890\n", "12345678901234567890"],
    ['{"id":12345678901234567890}', '{"id":12345678901234567890}'],
    ['"\\ud800"', '"\\ud800"'],
    [deep, deep],
  ] as const) {
    it(`${JSON.stringify(text.slice(0, 40))} becomes ${JSON.stringify(expected).slice(0, 40)}`, () => {
      assert.deepEqual(valueOf(text), expected);
    });
  }
});

describe("the result of a command", () => {
  it("is its last line if there is no result file", async () => {
    await using folder = await TempFolder.create();
    assert.deepEqual(await readResult(join(folder.path, "none"), LAST_LINE), value(42, "output"));
  });

  it("is the content of the result file, also if it is empty or begins with a byte order mark", async () => {
    await using folder = await TempFolder.create();
    const path = join(folder.path, "result");
    for (const [content, expected] of [
      ['{"a":1}\n', { a: 1 }],
      ["\u{FEFF}[1]", [1]],
      ["", null],
    ] as const) {
      await writeFile(path, content);
      assert.deepEqual(await readResult(path, LAST_LINE), value(expected));
    }
  });

  it("cannot be a folder, a pipe, binary data or 9 MiB", async () => {
    await using folder = await TempFolder.create();
    const at = (name: string): string => join(folder.path, name);
    await mkdir(at("folder"));
    execFileSync("mkfifo", [at("pipe")]);
    await writeFile(at("binary"), Buffer.from([0, 0xff, 0xfe]));
    await writeFile(at("huge"), "");
    await truncate(at("huge"), 9 * 1024 * 1024);
    for (const [name, problem] of [
      ["folder", /^the result file is not a file$/],
      ["pipe", /^the result file is not a file$/],
      ["binary", /^the result file is not text in UTF-8: /],
      ["huge", /^the result file has 9437184 bytes: /],
    ] as const) {
      const result = await readResult(at(name), LAST_LINE);
      assert.match(result.kind === "unusable" ? result.problem : "", problem);
    }
  });

  it("is the end of a last line that is too long, marked as such", async () => {
    const end = { bytes: Buffer.from("the end\n"), isCut: true };
    const expected = { kind: "value", value: "…the end", from: "output", isCut: true };
    assert.deepEqual(await readResult("/nonexistent", end), expected);
  });
});
