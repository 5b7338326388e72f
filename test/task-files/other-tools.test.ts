import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { dependenciesOf, errorsOf, readText, warningsOf } from "./read.ts";

describe("issues of beads", () => {
  const ISSUES = [
    {
      ...{
        id: "bd-1",
        title: "Epic",
        description: "",
        status: "open",
        priority: 1,
        issue_type: "epic",
      },
      ...{ created_at: "2025-12-16T13:26:47-08:00", updated_at: "2025-12-17T16:11:17-08:00" },
      dependencies: [
        { issue_id: "bd-1", depends_on_id: "bd-9", type: "blocks", created_by: "daemon" },
      ],
    },
    {
      ...{ id: "bd-1.1", title: "Child", status: "in_progress", priority: 0, issue_type: "task" },
      ...{ assignee: "bob", labels: ["ui"], design: "a" },
      dependencies: [
        { issue_id: "bd-1.1", depends_on_id: "bd-1", type: "parent-child" },
        { issue_id: "bd-1.1", depends_on_id: "bd-7h7", type: "blocks" },
        { issue_id: "bd-1.1", depends_on_id: "bd-9", type: "discovered-from" },
      ],
    },
    {
      ...{
        id: "bd-9",
        title: "Done",
        status: "closed",
        priority: 2,
        issue_type: "bug",
        assignee: "al",
      },
      ...{ closed_at: "2025-12-13T08:43:49.970591+11:00", close_reason: "Fixed" },
    },
    {
      id: "bd-7h7",
      title: "gone",
      status: "tombstone",
      priority: 2,
      issue_type: "bug",
      deleted_by: "x",
    },
  ];
  const read = readText("issues.jsonl", ISSUES.map((issue) => JSON.stringify(issue)).join("\n"));

  it("wait for what blocks them, also for what blocks their epic", () => {
    assert.deepEqual(errorsOf(read), []);
    assert.deepEqual(dependenciesOf(read), {
      "bd-1": ["bd-9", "bd-1.1"],
      "bd-1.1": ["bd-9"],
      "bd-9": [],
    });
  });

  it("keep their content", () => {
    assert.deepEqual(read.tasks.slice(1), [
      {
        ...{ task_id: "bd-1.1", title: "Child", priority: 0, tags: ["ui"], depends_on: ["bd-9"] },
        metadata: {
          issue_type: "task",
          design: "a",
          links: [{ type: "discovered-from", id: "bd-9" }],
        },
      },
      {
        ...{ task_id: "bd-9", title: "Done", priority: 2, status: "complete", result: "Fixed" },
        ...{ completed_at: "2025-12-13T08:43:49.970591+11:00", completed_by: "al" },
        metadata: { issue_type: "bug" },
      },
    ]);
  });

  it("leave out deleted issues and the history, and say so", () => {
    const text = warningsOf(read).join("\n");
    assert.match(text, /deleted issues \(tombstones\) are left out: 1/);
    assert.match(text, /dependencies on deleted issues are left out: bd-1\.1/);
    assert.match(text, /what happened to a task: created_at, updated_at/);
    assert.match(text, /in progress: imported as open.*bd-1\.1 \(claimed by bob\)/);
  });
});

describe("tasks of Task Master", () => {
  const FLAT = {
    tasks: [
      {
        ...{
          id: 1,
          title: "Init",
          description: "d",
          status: "done",
          dependencies: [],
          priority: "high",
        },
        ...{ details: "how", testStrategy: "check", previousStatus: "in-progress" },
      },
      {
        ...{ id: 4, title: "Files", status: "in-progress", dependencies: [1], priority: "medium" },
        subtasks: [
          { id: 1, title: "a", status: "done", dependencies: [] },
          { id: 2, title: "b", status: "pending", dependencies: [1], acceptanceCriteria: "x" },
          { id: 3, title: "c", status: "cancelled", dependencies: ["4.2", "1"] },
        ],
      },
    ],
  };
  const EXPECTED = {
    "1": [],
    "4": ["1", "4.1", "4.2", "4.3"],
    "4.1": ["1"],
    "4.2": ["4.1", "1"],
    "4.3": ["4.2", "4.1", "1"],
  };

  it("have subtasks as tasks of their own, in the older format and with tags", () => {
    const flat = readText("tasks.json", JSON.stringify(FLAT));
    assert.deepEqual(errorsOf(flat), []);
    assert.deepEqual(dependenciesOf(flat), EXPECTED);
    const tagged = readText(
      "tasks.json",
      JSON.stringify({ master: FLAT, "feature-x": { tasks: [FLAT.tasks[0]] } }),
    );
    assert.deepEqual(dependenciesOf(tagged), { ...EXPECTED, "feature-x/1": [] });
  });

  it("keep their content: what the work needs is the payload", () => {
    const { tasks } = readText("tasks.json", JSON.stringify(FLAT));
    assert.deepEqual(tasks[0], {
      ...{ task_id: "1", title: "Init", description: "d", priority: 1, status: "complete" },
      payload: { details: "how", testStrategy: "check" },
    });
    assert.deepEqual(tasks.at(-1)?.status, "cancelled");
  });

  it("are refused where they are wrong", () => {
    const text =
      '{"tasks":[{"id":1,"subtasks":[{"id":1.5,"title":"x"}]},\n{"id":2,"dependencies":[1.1]},\n{"id":3,"dependencies":"1"}]}';
    assert.deepEqual(
      errorsOf(readText("tasks.json", text)).map((error) =>
        error.split(": ").slice(0, 2).join(": "),
      ),
      ["tasks.json:1:32: id", "tasks.json:2:9: dependencies", "tasks.json:3:9: dependencies"],
    );
  });
});

describe("a YAML file", () => {
  it("keeps ids and texts that look like numbers and truth values", () => {
    const read = readText(
      "t.yaml",
      "# c\ntasks:\n  - task_id: P0.1.10\n    title: yes\n    depends_on: [1.10, P0.2]\n    payload: {n: 1.5, t: true}\n" +
        "  - id: 1.10\n    dependsOn: P0.2\n  - id: P0.2\n    status: done\n",
    );
    assert.deepEqual(errorsOf(read), []);
    assert.deepEqual(read.tasks, [
      {
        task_id: "P0.1.10",
        title: "yes",
        payload: { n: 1.5, t: true },
        depends_on: ["1.10", "P0.2"],
      },
      { task_id: "1.10", depends_on: ["P0.2"] },
      { task_id: "P0.2", status: "complete" },
    ]);
  });

  const bomb = ["a: &a [x, x, x, x, x, x, x, x, x]"];
  for (let i = 0; i < 8; i++) {
    const [from, to] = [String.fromCharCode(97 + i), String.fromCharCode(98 + i)];
    bomb.push(`${to}: &${to} [${Array(9).fill(`*${from}`).join(", ")}]`);
  }
  for (const [name, text, error] of [
    ["a tab", "tasks:\n\t- id: a\n", /^t\.yaml:2:1: /],
    [
      "a field twice",
      "- id: a\n  title: x\n  title: y\n",
      /^t\.yaml:3:3: the field is there twice/,
    ],
    [
      "an inexact number",
      "- id: a\n  payload: 12345678901234567890\n",
      /^t\.yaml:2:12: the number 123/,
    ],
    ["infinity", "- id: a\n  payload: .inf\n", /^t\.yaml:2:12: \.inf is not a value that JSON has/],
    [
      "several documents",
      "- id: a\n---\n- id: b\n",
      /^t\.yaml:2:1: the file has several YAML documents/,
    ],
    ["a missing alias", "- id: a\n  payload: *x\n", /^t\.yaml:2:12: /],
    [
      "aliases that stand for billions of values",
      `- id: a\n  payload:\n${bomb.map((line) => `    ${line}\n`).join("")}`,
      /aliases stand for more than 100000 values/,
    ],
    ["an alias of itself", "- id: a\n  payload: &x [*x]\n", /t\.yaml/],
    ["a wrong value", "- id: a\n  priority: 9\n", /^t\.yaml:2:3: priority: must be between/],
  ] as const) {
    it(`is refused for ${name}`, () => {
      assert.match(errorsOf(readText("t.yaml", text)).join("\n"), error);
    });
  }

  it("is the same when it is long enough to be parsed in portions", () => {
    const text = Array.from(
      { length: 9_000 },
      (_, i) => `- task_id: T${i}\n  title: |\n    - a\n    b\n  payload: {a: "- x"}\n`,
    );
    const read = readText("t.yaml", text.join(""));
    assert.deepEqual(errorsOf(read), []);
    assert.deepEqual(
      [read.tasks.length, read.tasks[8_999]],
      [9_000, { task_id: "T8999", title: "- a\nb\n", payload: { a: "- x" } }],
    );
    assert.equal(read.placeOf("T8999"), "t.yaml:44996:3");
  });
});
