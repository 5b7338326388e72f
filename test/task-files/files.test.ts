import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatOfName, formatOfText } from "../../src/task-files/formats.ts";
import { readTaskFiles } from "../../src/task-files/read.ts";
import { dependenciesOf, errorsOf, readText, warningsOf } from "./read.ts";

describe("the format of a file", () => {
  it("is known by its name", () => {
    const names = ["a.json", "b/c.JSONL", "d.yml", "e.tsv", "BOARD.md", "tasks", "x.txt"];
    assert.deepEqual(names.map(formatOfName), [
      "json",
      "jsonl",
      "yaml",
      "csv",
      "markdown",
      null,
      null,
    ]);
  });

  for (const [text, format] of [
    ['[{"task_id":"a"}]', "json"],
    ['{"id":"a"}\n{"id":"b"}\n', "jsonl"],
    ["- task_id: a\n", "yaml"],
    ["tasks:\n  - task_id: a\n", "yaml"],
    ["# Board\n\n| ID | Task |\n|---|---|\n| a | b |\n", "markdown"],
    ["- [ ] a\n", "markdown"],
    ["title;ID\na;b\n", "csv"],
    ["hello", null],
  ] as const) {
    it(`is ${format ?? "unknown"} for ${JSON.stringify(text)}`, () => {
      assert.equal(formatOfText(text), format);
    });
  }

  it("must be named if it is unknown", () => {
    assert.deepEqual(errorsOf(readText("standard input", "hello")), [
      "standard input: the format is not recognized: name it with --format " +
        "(json, jsonl, yaml, csv, markdown, beads, task-master)",
    ]);
    assert.equal(readText("x.txt", "id,title\na,b", { format: "csv" }).tasks.length, 1);
  });
});

describe("the bytes of a file", () => {
  const read = (bytes: Uint8Array): string[] =>
    errorsOf(readTaskFiles([{ name: "t.json", bytes }]));

  it("must not be UTF-16", () => {
    assert.match(
      read(Buffer.from("\uFEFF[]", "utf16le")).join(),
      /^t\.json: the file is UTF-16: save it as UTF-8/,
    );
    assert.match(read(Buffer.from([0xfe, 0xff, 0, 0x5b])).join(), /UTF-16/);
  });

  it("must be UTF-8, and the first wrong byte is named", () => {
    const bytes = Buffer.concat([
      Buffer.from('[\n{"task_id":"a","title":"'),
      Buffer.from([0xe9]),
      Buffer.from('"}]'),
    ]);
    assert.match(read(bytes).join(), /^t\.json:2:25: the file is not UTF-8/);
  });

  it("can be none, which is a warning", () => {
    const empty = readText("t.json", "");
    assert.deepEqual([errorsOf(empty), warningsOf(empty)], [[], ["t.json: the file is empty"]]);
    assert.deepEqual(warningsOf(readText("t.json", "[]")), ["t.json:1:1: the file has no tasks"]);
  });
});

describe("several files", () => {
  const files = (texts: Record<string, string>): Parameters<typeof readTaskFiles>[0] =>
    Object.entries(texts).map(([name, text]) => ({ name, bytes: Buffer.from(text) }));

  it("are one import: tasks can depend on those of another file", () => {
    const read = readTaskFiles(
      files({
        "a.csv": "id,depends on\na,P1-3\n",
        "b.md": "| ID | Task |\n|-|-|\n| P1 | x |\n| P3 | y |\n",
      }),
    );
    assert.deepEqual(dependenciesOf(read), { a: ["P1", "P2", "P3"], P1: [], P3: [] });
    assert.deepEqual([...read.missing], [["P2", "a.csv:2:3"]]);
  });

  it("must not use an id twice", () => {
    const read = readTaskFiles(files({ "a.csv": "id\na\n", "b.json": '[{"id":"a"}]' }));
    assert.deepEqual(errorsOf(read), [
      'b.json:1:3: the task id "a" is already used at a.csv:2:1: rename one',
    ]);
  });
});

describe("a cycle", () => {
  it("is named with all of its places", () => {
    const text =
      '[{"id":"a","depends_on":["b"]},\n{"id":"b","depends_on":["c"]},\n{"id":"c","depends_on":["a"]},\n{"id":"d","depends_on":["d"]}]';
    assert.deepEqual(errorsOf(readText("t.json", text)), [
      "t.json:1:12: the tasks depend on each other in a cycle: a (t.json:1:12) -> b (t.json:2:11) " +
        "-> c (t.json:3:11) -> a (t.json:1:12): remove one dependency",
      "t.json:4:11: the tasks depend on each other in a cycle: d (t.json:4:11) -> d (t.json:4:11): remove one dependency",
    ]);
  });
});

describe("a prefix", () => {
  it("is put before the ids of the files, and before dependencies on them", () => {
    const read = readText("t.json", '[{"id":"a","depends_on":["b","other"]},{"id":"b"}]', {
      prefix: "p/",
    });
    assert.deepEqual(dependenciesOf(read), { "p/a": ["p/b", "other"], "p/b": [] });
    assert.equal(read.placeOf("p/b"), "t.json:1:41");
  });
});
