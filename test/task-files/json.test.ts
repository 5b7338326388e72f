import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseJson, SyntaxProblem } from "../../src/task-files/json.ts";
import { Places } from "../../src/task-files/places.ts";
import { errorsOf, readText, warningsOf } from "./read.ts";

const parse = (text: string): unknown => parseJson(text, new Places(), () => undefined);

describe("the parser of JSON", () => {
  it("reads what JSON.parse reads", () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), fc.nat(2), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        assert.deepEqual(parse(text), JSON.parse(text));
      }),
    );
  });

  it("refuses what JSON.parse refuses, at a place inside of the text", () => {
    const pieces = fc.constantFrom(
      ...'{}[]",:\\ue0123-+.\n\ttrunlfas "a"'.split(""),
      '"a":',
      "true",
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        const text = parts.join("");
        let expected: unknown;
        try {
          expected = JSON.parse(text);
        } catch {
          assert.throws(
            () => parse(text),
            (error) => error instanceof SyntaxProblem && error.offset <= text.length,
            text,
          );
          return;
        }
        assert.deepEqual(parse(text), expected);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("a JSON file", () => {
  it("is an array of tasks, or an object with such an array", () => {
    const tasks = [
      { task_id: "a", title: "A" },
      { task_id: "b", depends_on: ["a"] },
    ];
    assert.deepEqual(readText("t.json", JSON.stringify(tasks)).tasks, tasks);
    assert.deepEqual(readText("t.json", JSON.stringify({ tasks })).tasks, tasks);
    assert.deepEqual(readText("t.json", JSON.stringify(tasks[0])).tasks, [tasks[0]]);
  });

  it("can have a byte order mark and Windows line ends", () => {
    const { tasks } = readText("t.json", '\uFEFF[\r\n{"task_id":"a"}\r\n]\r\n');
    assert.deepEqual(tasks, [{ task_id: "a" }]);
  });

  for (const [text, error] of [
    ['[{"task_id":"a",}]', 't.json:1:16: remove the "," before "}"'],
    ['[{"task_id":"a"}\n {"task_id":"b"}]', 't.json:2:2: "," or "]" is missing before "{"'],
    ["[{task_id:1}]", 't.json:1:3: a field name in double quotes is missing before "task_id"'],
    ['[\n{"task_id":"a', "t.json:2:12: the string is never closed: add a double quote"],
    ['[{"task_id":"a"}', 't.json:1:17: "," or "]" is missing before the end of the text'],
    [
      "[{'task_id':'a'}]",
      "t.json:1:3: a field name in double quotes is missing before \"'task_id'\"",
    ],
    [
      '[{"task_id":"a","title":"x\ny"}]',
      "t.json:1:27: the string is not closed on its line: close it, or write a line break as \\n",
    ],
    [
      '[{"task_id":"a","payload":12345678901234567890}]',
      "t.json:1:27: the number 12345678901234567890 would become 12345678901234567000: write it as a string",
    ],
    [
      '[{"task_id":"a","title":"1","title":"2"}]',
      't.json:1:29: the field "title" is there twice: remove one of them',
    ],
    [
      '[{"task_id":"a","title":"\\ud800"}]',
      "t.json:1:25: the string has half of a surrogate pair, which is not a character: write well-formed Unicode",
    ],
    ['["a"]', 't.json:1:2: a task must be an object, not "a"'],
    ['[{"title":"a"}]', "t.json:1:2: the task has no id: add task_id"],
    [
      '[{"task_id":"a b"}]',
      't.json:1:3: "a b" is not a task id: use 1 to 256 characters out of A-Z a-z 0-9 _ = / - ' +
        'and single dots between them, such as P0.5.1; use "." or "-" instead of " "',
    ],
    [
      '[{"task_id":"a","depend_on":["b"]}]',
      't.json:1:17: unknown field "depend_on" (did you mean depends_on?): rename it',
    ],
    [
      '[{"task_id":"a","metadata":{"__proto__":1}}]',
      "t.json:1:17: metadata: must not have a field named __proto__: use another name",
    ],
    [
      '[{"task_id":"a","__proto__":{"b":1}}]',
      "t.json:1:17: a field must not be named __proto__: use another name",
    ],
    [
      '[{"task_id":"a","priority":9}]',
      "t.json:1:17: priority: must be between 0 (most urgent) and 4",
    ],
    [
      '[{"task_id":"a"},\n{"task_id":"a"}]',
      't.json:2:2: the task id "a" is already used at t.json:1:3: rename one',
    ],
  ] as const) {
    it(`is refused: ${text.replaceAll("\n", " ")}`, () => {
      assert.deepEqual(errorsOf(readText("t.json", text)), [error]);
    });
  }

  it("has all of its problems listed, in their order", () => {
    const text =
      '[{"task_id":"a","priority":7},\n{"task_id":"a"},\n{"task_id":"b","depends_on":["?"]}]';
    assert.deepEqual(
      errorsOf(readText("t.json", text)).map((error) => error.slice(0, 11)),
      ["t.json:1:17", "t.json:2:2:", "t.json:3:16"],
    );
  });

  it("keeps a payload named __proto__ as data", () => {
    const { tasks } = readText("t.json", '[{"task_id":"a","payload":{"__proto__":{"x":1}}}]');
    assert.equal(JSON.stringify(tasks[0]?.payload), '{"__proto__":{"x":1}}');
    assert.equal((tasks[0]?.payload as { x?: number }).x, undefined);
  });

  it("can be nested no deeper than the coordinator takes", () => {
    const nested = (depth: number): string =>
      `[{"task_id":"a","payload":${"[".repeat(depth)}${"]".repeat(depth)}}]`;
    assert.deepEqual(errorsOf(readText("t.json", nested(61))), []);
    assert.match(
      errorsOf(readText("t.json", nested(62)))[0] ?? "",
      /^t\.json:1:3: .*62 levels deep/,
    );
    assert.match(errorsOf(readText("t.json", nested(100_000)))[0] ?? "", /200 levels deep/);
  });

  it("can have the records that task list prints, without their history", () => {
    const record = {
      ...{ task_id: "a", title: "A", status: "complete", completed_by: "s1", claimed_by: null },
      ...{ completed_at: "2025-11-12T17:30:00Z", attempt: 2, failures: 0, created_at: "x" },
    };
    const read = readText("t.json", JSON.stringify({ ok: true, tasks: [record] }));
    assert.deepEqual(read.tasks, [
      {
        ...{ task_id: "a", title: "A", status: "complete", completed_by: "s1" },
        completed_at: "2025-11-12T17:30:00Z",
      },
    ]);
    assert.deepEqual(warningsOf(read), [
      "t.json:1:21: fields not imported, because they say what happened to a task: attempt, failures, created_at",
    ]);
  });

  it("keeps fields of the user's own in the metadata, and says so", () => {
    const read = readText(
      "t.json",
      '[{"id":"a","name":"A","dependsOn":"b, c","estimate":3},{"id":"b"},{"id":"c"}]',
    );
    assert.deepEqual(read.tasks[0], {
      ...{ task_id: "a", title: "A", metadata: { estimate: 3 }, depends_on: ["b", "c"] },
    });
    assert.deepEqual(warningsOf(read), [
      "t.json:1:2: fields kept in the metadata of the tasks: estimate",
    ]);
  });

  it("imports claimed and failed tasks as open, and says so", () => {
    const read = readText(
      "t.json",
      '[{"id":"a","status":"claimed","claimed_by":"s1"},{"id":"b","status":"failed"}]',
    );
    assert.deepEqual(read.tasks, [{ task_id: "a" }, { task_id: "b" }]);
    assert.deepEqual(warningsOf(read), [
      "t.json:1:2: in progress: imported as open, because no session of this coordinator holds them: a (claimed by s1)",
      "t.json:1:50: failed: imported as open, so they are tried again: b",
    ]);
  });
});

describe("a file of JSON Lines", () => {
  it("has one task in each line", () => {
    assert.deepEqual(readText("t.jsonl", '{"task_id":"a"}\r\n\n{"task_id":"b"}').tasks, [
      { task_id: "a" },
      { task_id: "b" },
    ]);
  });

  it("has the problems of all lines listed", () => {
    assert.deepEqual(errorsOf(readText("t.ndjson", '{"task_id":"a"}\n{"task_id":\n[1]\n{"x"}')), [
      "t.ndjson:2:12: the JSON text ends in the middle: a value is missing",
      "t.ndjson:3:2: a task must be an object, not 1",
      't.ndjson:4:5: ":" is missing before "}"',
    ]);
  });
});
