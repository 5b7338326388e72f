/** What `export` writes, `import` reads back to the same tasks, in every format. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { encodeTask, type TaskRecord } from "../../src/protocol/task-record.ts";
import { createTask } from "../../src/task/task.ts";
import { exportedTask } from "../../src/task-files/exported-task.ts";
import type { ImportedTask } from "../../src/task-files/finish.ts";
import { WRITE_FORMATS, type WriteFormat } from "../../src/task-files/formats.ts";
import { taskWriter } from "../../src/task-files/write.ts";
import { json } from "../protocol/arbitrary-task.ts";
import { errorsOf, readText } from "./read.ts";

const FILES: Readonly<Record<WriteFormat, string>> = {
  json: "t.json",
  jsonl: "t.jsonl",
  yaml: "t.yaml",
  csv: "t.csv",
  markdown: "t.md",
};

function written(format: WriteFormat, records: readonly TaskRecord[]): string {
  const writer = taskWriter(format);
  const tasks = records.map((record, index) => writer.task(record, index === 0));
  return [writer.head, ...tasks, writer.tail(records.length === 0)].join("");
}

/** With the defaults that a file can leave out. */
function comparable(tasks: readonly ImportedTask[]): Record<string, ImportedTask> {
  return Object.fromEntries(tasks.map((task) => [task.task_id, { priority: 2, ...task }]));
}

function roundTrip(format: WriteFormat, records: readonly TaskRecord[]): void {
  const text = written(format, records);
  const read = readText(FILES[format], text);
  assert.deepEqual(errorsOf(read), [], text);
  assert.deepEqual(comparable(read.tasks), comparable(records.map(exportedTask)), text);
}

const NASTY = [
  ...[
    "a|b",
    "a\nb",
    "a\r\nb",
    'say "hi"',
    "'",
    "=1+1",
    "+1",
    "@x",
    "🔄 in progress",
    "ünïcödé 漢字",
    " x ",
    "\t",
  ],
  ...[
    "",
    '""',
    "None",
    "-",
    "n/a",
    "no",
    "*b* _i_ `c` ~~d~~",
    "[x](y)",
    "<br>",
    "&amp;",
    "\\",
    "\\|",
    "a\\",
    "1.10",
  ],
  ...[
    "true",
    "null",
    "~",
    "# x",
    "- x",
    "{",
    "[",
    '["a"]',
    "a: b",
    "!x",
    "%",
    "---",
    "...",
    "\u0000",
    "\u007f",
  ],
  ...[
    "\u2028",
    "\ufeffx",
    "a,b;c",
    "http://x.y/z_",
    "www.x.y",
    "a@b.c",
    "__a__",
    "|",
    "\\n",
    "a  b",
    "a \n b",
    "\n",
  ],
  ...[
    "<!-- x -->",
    "<b>",
    "![i](j)",
    "[^1]",
    "$x$",
    ":smile:",
    "1. a",
    "\u00a0x",
    "x\u0085",
    "total",
    "P0.1-5",
  ],
];
const text = fc.oneof(
  fc.constantFrom(...NASTY),
  fc.array(fc.constantFrom(...NASTY, "a", " "), { maxLength: 4 }).map((parts) => parts.join("")),
  fc.string({ unit: "binary", maxLength: 12 }).filter((given) => given.isWellFormed()),
);
const names = fc.uniqueArray(
  text.filter((name) => name !== ""),
  { maxLength: 3 },
);
const ID_TEXTS = [
  "None",
  "no",
  "-",
  "total",
  "P0.1.2-5",
  "1",
  "1.10",
  "true",
  "a_b",
  "_a_",
  "a/b=c",
  "x-y",
  "null",
];
const id = fc.oneof(
  fc.constantFrom(...ID_TEXTS),
  fc.stringMatching(/^[A-Za-z0-9_=/-]{1,9}(\.[A-Za-z0-9_=/-]{1,5})?$/),
);
const time = fc.integer({ min: 0, max: Date.UTC(2100, 0) });

const tasks = fc
  .uniqueArray(
    fc.record({
      taskId: id,
      ...{ title: text, description: fc.option(text, { nil: null }), priority: fc.nat(4) },
      ...{ requires: names, tags: names, payload: fc.oneof(json, text) },
      metadata: fc.dictionary(
        text.filter((name) => name !== "__proto__"),
        fc.oneof(json, text),
      ),
      ...{ maxFailures: fc.integer({ min: 1, max: 9 }), maxLostLeases: fc.nat(9) },
      dependsOn: fc.uniqueArray(id, { maxLength: 3 }),
      status: fc.constantFrom("open", "complete", "cancelled"),
      ...{ result: fc.oneof(json, text), completedBy: fc.option(id, { nil: null }) },
      ...{ completedAt: time, notBefore: fc.option(time, { nil: null }) },
    }),
    { maxLength: 5, selector: ({ taskId }) => taskId },
  )
  .map((given): TaskRecord[] =>
    given.map(({ status, result, completedBy, completedAt, notBefore, taskId, ...rest }, index) => {
      // Only on earlier tasks, or on tasks that no file has, so that there is no cycle.
      const later = new Set(given.slice(index).map((task) => task.taskId));
      const definition = {
        ...rest,
        metadata: { ...rest.metadata },
        dependsOn: rest.dependsOn.filter((one) => !later.has(one)),
      };
      const finished =
        status === "open"
          ? null
          : { status, ...ended(status, { result, completedBy, completedAt }) };
      const task = createTask(taskId, definition, {
        ...{
          sessionId: null,
          notBefore: finished === null ? notBefore : null,
          finished,
          blocked: false,
          now: 0,
        },
      });
      return encodeTask(task);
    }),
  );

interface End {
  readonly result: unknown;
  readonly completedBy: string | null;
  readonly completedAt: number;
}

function ended(
  status: "complete" | "cancelled",
  end: End,
): Omit<End, "completedAt"> & { completedAt: number | null } {
  return status === "complete" ? end : { result: null, completedBy: null, completedAt: null };
}

for (const format of WRITE_FORMATS) {
  describe(`tasks written as ${format}`, () => {
    it("are read back as they were, also with texts that look like something special", () => {
      fc.assert(
        fc.property(tasks, (records) => {
          roundTrip(format, records);
        }),
        { numRuns: 100 },
      );
    });
  });
}
