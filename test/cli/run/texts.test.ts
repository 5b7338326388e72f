import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  describeCounts,
  describeReport,
  formatElapsed,
  type TaskReport,
} from "../../../src/cli/run/run-report.ts";
import { taskVariables } from "../../../src/cli/run/task-environment.ts";

describe("the time that a command took", () => {
  for (const [ms, text] of [
    [0, "0.0s"],
    [849, "0.8s"],
    [59_940, "59.9s"],
    [59_960, "1m"],
    [125_400, "2m5s"],
    [11_520_000, "3h12m"],
  ] as const) {
    it(`of ${ms} ms is ${text}`, () => {
      assert.equal(formatElapsed(ms), text);
    });
  }
});

describe("the report of a task", () => {
  const report: TaskReport = {
    task_id: "P0.5.1",
    attempt: 1,
    outcome: "completed",
    final: false,
    reason: null,
    result: "done",
    exit_code: 0,
    signal: null,
    duration_ms: 3_240,
  };

  it("says how it has ended, after how long, and why", () => {
    assert.equal(describeReport(report), "completed P0.5.1 in 3.2s");
    const failed = { ...report, outcome: "failed", reason: "exit code 1" } as const;
    assert.equal(describeReport(failed), "failed P0.5.1 after 3.2s: exit code 1");
  });

  it("counts by outcome", () => {
    assert.equal(describeCounts(new Map()), "no task");
    const counts = new Map([
      ["given_back", 2],
      ["completed", 12],
    ] as const);
    assert.equal(describeCounts(counts), "12 completed, 2 given back");
  });
});

describe("the variables of a task", () => {
  it("are short strings that every program can read", () => {
    const variables = taskVariables({
      taskId: "a",
      title: `Two\nlines\0and more\u001b[31m`,
      attempt: 2,
      fencingToken: 7,
      session: "session-1",
      taskFile: "/tmp/task.json",
      resultFile: "/tmp/result",
    });
    assert.deepEqual(variables, {
      TASK_ID: "a",
      TASK_TITLE: "Two lines␀and more␛[31m",
      TASK_ATTEMPT: "2",
      TASK_FENCING_TOKEN: "7",
      TASK_FILE: "/tmp/task.json",
      TASK_RESULT_FILE: "/tmp/result",
      IF_COORDINATOR_SESSION: "session-1",
    });
  });
});
