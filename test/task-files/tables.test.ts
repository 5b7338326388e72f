import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { priorityOf, statusOf } from "../../src/task-files/words.ts";
import { dependenciesOf, errorsOf, readText, warningsOf } from "./read.ts";

describe("a status in words or signs", () => {
  for (const [status, texts] of Object.entries({
    complete: [
      "done",
      "✅ DONE",
      "Completed (session-5)",
      "✅",
      "finished",
      "**closed**",
      "[x]",
      "100% done",
    ],
    cancelled: ["❌ Cancelled", "dropped", "won't do", "canceled: no longer needed"],
    open: [
      "",
      "-",
      "📋 todo",
      "To Do",
      "⏳ BLOCKED (P0.1.1)",
      "ready",
      "Not Started",
      "🔴 Ready",
      "🚫",
      "blocked by P1",
    ],
    "in progress": [
      "🔄 In Progress",
      "in_progress",
      "🚧",
      "claimed",
      "80% complete",
      "WIP",
      "In Review",
    ],
    failed: ["failed", "❌ failed"],
    deferred: ["deferred", "⏸ on hold"],
  })) {
    for (const text of texts) {
      it(`is ${status}: ${JSON.stringify(text)}`, () => {
        assert.equal(statusOf(text), status);
      });
    }
  }

  it("is unknown for other words, and for a lone cross", () => {
    assert.deepEqual(["IMPLEMENTED", "❌", "not complete", "maybe"].map(statusOf), [
      null,
      null,
      null,
      null,
    ]);
  });
});

describe("a priority", () => {
  it("is a number or a word", () => {
    assert.deepEqual(["0", "P1", "🔴 Critical", "high", "Medium", "low", "huge"].map(priorityOf), [
      0,
      1,
      0,
      1,
      2,
      3,
      null,
    ]);
  });
});

const BOARD = `# Phase 0

Prose with | a pipe, and P0.9.9.

| Task | Owner | Dependencies | Deliverable |
|------|-------|--------------|-------------|
| P0.1.1: etcd/NATS event bus | Session 5 (CLI) | None | \`event_bus.py\` |
| P0.1.2: Atomic claims | Session 7 | P0.1.1 | a \\| b |
| P0.1.3: Broadcast | - | P0.1.1 ✅ | |
| P0.1.4: <10ms latency | - | P0.1.2, P0.1.3 | x |
| P0.1.5: Tests | Session 4 (SIP) | All above | x |

| Role | Responsibility |
|------|----------------|
| CTO | P0.1.1 |

| STATUS | **Task ID** | Description | Blocked by | Claimed by | Prio |
|:--|--|--|:-:|--|--|
| ✅ DONE | **P0.2.1** | [policy](http://x) ~~old~~ | - | session-5 | P1 |
| **Phase 2** | | | | | |
| 🔄 In progress | \`P0.2.2\` | first<br>second | P0.1.2-5 | session-7 | high |
| 📋 BLOCKED | #71 | x | P0.1.*, P0.2.1 – P0.2.2 | n/a | |
| Total | 3 | | | | |

\`\`\`
| ID | Task |
|---|---|
| NO | x |
\`\`\`
`;

describe("a Markdown board", () => {
  const read = readText("board.md", BOARD);

  it("has the tasks of all tables with ids", () => {
    assert.deepEqual(errorsOf(read), []);
    assert.deepEqual(dependenciesOf(read), {
      "P0.1.1": [],
      "P0.1.2": ["P0.1.1"],
      "P0.1.3": ["P0.1.1"],
      "P0.1.4": ["P0.1.2", "P0.1.3"],
      "P0.1.5": ["P0.1.1", "P0.1.2", "P0.1.3", "P0.1.4"],
      "P0.2.1": [],
      "P0.2.2": ["P0.1.2", "P0.1.3", "P0.1.4", "P0.1.5"],
      "71": ["P0.1.1", "P0.1.2", "P0.1.3", "P0.1.4", "P0.1.5", "P0.2.1", "P0.2.2"],
    });
  });

  it("has texts without the signs of Markdown", () => {
    const byId = new Map(read.tasks.map((task) => [task.task_id, task]));
    assert.deepEqual(byId.get("P0.1.2"), {
      ...{ task_id: "P0.1.2", title: "Atomic claims", depends_on: ["P0.1.1"] },
      metadata: { Deliverable: "a | b", owner: "Session 7" },
    });
    assert.deepEqual(byId.get("P0.2.1"), {
      ...{ task_id: "P0.2.1", title: "policy old", priority: 1 },
      ...{ status: "complete", completed_by: "session-5" },
    });
    assert.equal(byId.get("P0.2.2")?.title, "first\nsecond");
  });

  it("says what it does not take over as it is", () => {
    assert.deepEqual(warningsOf(read), [
      "board.md:7:1: fields kept in the metadata of the tasks: Deliverable",
      "board.md:20:1: rows that are no tasks are left out: Phase 2, Total",
      "board.md:21:1: in progress: imported as open, because no session of this coordinator holds them: P0.2.2 (claimed by session-7)",
    ]);
  });

  for (const [row, error] of [
    ["| a b | x | | |", /^b\.md:3:3: "a b" is not a task id: use /],
    ["| | x | | |", /^b\.md:3:1: the task has no id: add task_id$/],
    ["| a | x | huh | |", /^b\.md:3:11: status: "huh" is unknown: use done, open/],
    ["| a | x | ❌ | |", /^b\.md:3:11: status: "❌" is unknown/],
    ["| a | x | | when ready |", /^b\.md:3:13: depends_on: "when ready" is not a task id/],
    ["| a | x | | q.* |", /^b\.md:3:13: depends_on: "q\.\*" matches no task of the file$/],
    ["| T1 | x | | T1-9999 |", /^b\.md:3:14: depends_on: "T1-9999" names more than 1000 tasks$/],
  ] as const) {
    it(`is refused: ${row}`, () => {
      const text = `| ID | Task | Status | Depends on |\n|---|---|---|---|\n${row}\n`;
      const errors = errorsOf(readText("b.md", text));
      assert.equal(errors.length, 1, errors.join("\n"));
      assert.match(errors[0] ?? "", error);
    });
  }

  it("leaves out check-lists next to tables, and says so", () => {
    const both = readText("b.md", "| ID | Task |\n|---|---|\n| a | x |\n\n- [ ] y\n  - [x] z\n");
    assert.deepEqual(both.tasks, [{ task_id: "a", title: "x" }]);
    assert.deepEqual(warningsOf(both), [
      "b.md: the file has tables of tasks, so its check-lists are left out: 2 entries",
    ]);
  });

  it("is the same when it is long enough to be parsed in portions", () => {
    const rows = Array.from(
      { length: 4_000 },
      (_, i) => `| T${i} | **Task** ${i} | T${Math.max(0, i - 1)} |`,
    );
    const text = `# B\n\n| ID | Task | Depends on |\n|---|---|---|\n${rows.join("\n")}\n\nEnd.\n\n| ID | Task |\n|---|---|\n| X | y |\n`;
    const long = readText(
      "b.md",
      text.replace("| T0 | **Task** 0 | T0 |", "| T0 | **Task** 0 | all above |"),
    );
    assert.deepEqual(errorsOf(long), []);
    assert.deepEqual(
      [long.tasks.length, long.tasks[3_999], long.tasks[4_000]?.task_id],
      [4_001, { task_id: "T3999", title: "Task 3999", depends_on: ["T3998"] }, "X"],
    );
    assert.equal(long.placeOf("T3999"), "b.md:4004:3");
  });
});

describe("a check-list", () => {
  const read = readText(
    "todo.md",
    `# To do
## Phase 1: Set up
- [ ] P0.1 Build the *bus*
  - [x] Write tests
  - [ ] **P0.1.2**: Deploy (depends on P0.2)
    - a note
    - [ ] Deep
- [x] T9: closed
1. [ ] ABC-123 Fix login
- [-] dropped
- plain
  - [ ] S3 bucket
## Фаза 2
- [ ] Написать тесты
`,
  );

  it("has ids from its titles, and parents that depend on their parts", () => {
    assert.deepEqual(errorsOf(read), []);
    assert.deepEqual(dependenciesOf(read), {
      "P0.1": ["phase-1-set-up/build-the-bus/write-tests", "P0.1.2"],
      "phase-1-set-up/build-the-bus/write-tests": [],
      "P0.1.2": ["P0.2", "phase-1-set-up/build-the-bus/deploy/deep"],
      "phase-1-set-up/build-the-bus/deploy/deep": ["P0.2"],
      T9: [],
      "ABC-123": [],
      "phase-1-set-up/dropped": [],
      "phase-1-set-up/s3-bucket": [],
      "2-c2e72ac3/39297ade": [],
    });
  });

  it("has statuses from its boxes, and descriptions from what is not a task", () => {
    const done = read.tasks.filter(({ status }) => status === "complete").map(({ title }) => title);
    assert.deepEqual(done, ["Write tests", "closed"]);
    assert.deepEqual(read.tasks.find(({ status }) => status === "cancelled")?.title, "dropped");
    assert.equal(read.tasks.find(({ task_id }) => task_id === "P0.1.2")?.description, "- a note");
  });

  it("must not have the same title twice in one place", () => {
    assert.deepEqual(errorsOf(readText("t.md", "- [ ] Test\n- [ ] Test\n")), [
      't.md:2:1: the task id "test" is already used at t.md:1:1: rename one',
    ]);
  });
});

describe("a CSV file", () => {
  it("can have semicolons, line breaks and quotes in cells, and Windows line ends", () => {
    const text =
      '\uFEFFID;Title;Status;Depends on;Tags\r\na;"x;y\r\n""z""";done;;\r\n\r\nb;=1+1;;a;"[""a,b""]"\r\n';
    assert.deepEqual(readText("t.csv", text).tasks, [
      { task_id: "a", title: 'x;y\r\n"z"', status: "complete" },
      { task_id: "b", title: "=1+1", tags: ["a,b"], depends_on: ["a"] },
    ]);
  });

  for (const [text, error] of [
    ["title,x\na,b\n", /^t\.csv:1:1: the first line must name the columns.*"title", "x"$/],
    ["id,title,Title\n", /^t\.csv:1:1: the file has no tasks|^$/],
    ["id,title\na,b,c\n", /^t\.csv:2:5: the row has 3 cells, and the header has 2/],
    ["id,title\nä,x\n", /^t\.csv:2:1: "ä" is not a task id/],
    ['id,title\na1,ü\nb,"x\nc,d\n', /^t\.csv:3:1: a double quote in this row is never closed/],
    ['id,title\na,x"y"\n', /^t\.csv:2:1: a double quote inside of a text must be doubled/],
    ["id,payload\na,{x\n", /^t\.csv:2:3: payload: is not valid JSON/],
    ["id,metadata\na,7\n", /^t\.csv:2:3: metadata: must be a JSON object/],
    ["id,max failures\na,few\n", /^t\.csv:2:3: max_failures: must be a whole number, not "few"/],
    [
      "id,payload\na,12345678901234567890\n",
      /^t\.csv:2:3: payload: the number 12345678901234567890 would/,
    ],
  ] as const) {
    it(`is refused: ${JSON.stringify(text)}`, () => {
      assert.match(errorsOf(readText("t.csv", text)).join("\n"), error);
    });
  }
});
