import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type CommandEnd, endingOf } from "../../../src/cli/run/outcome.ts";
import type { CommandResult } from "../../../src/cli/run/task-result.ts";

const VALUE: CommandResult = { kind: "value", value: { pages: 3 }, from: "file", isCut: false };

function end(code: number | null, changes: Partial<CommandEnd> = {}): CommandEnd {
  const exit = { code, signal: code === null ? ("SIGKILL" as const) : null };
  const result = code === 0 ? VALUE : null;
  return { exit, result, stderr: "", stoppedBecause: null, retryDelaySeconds: 60, ...changes };
}

describe("the end of a command", () => {
  it("completes the task with exit code 0, also if the command was asked to stop", () => {
    const complete = { kind: "complete", result: { pages: 3 } };
    assert.deepEqual(endingOf(end(0)), complete);
    assert.deepEqual(endingOf(end(0, { stoppedBecause: "the task was cancelled" })), complete);
  });

  it("fails the attempt with any other exit code or signal, and keeps the end of standard error", () => {
    assert.deepEqual(endingOf(end(1, { stderr: "no such page" })), {
      kind: "fail",
      error: { message: "exit code 1", exit_code: 1, stderr: "no such page" },
      retry: true,
    });
    assert.deepEqual(endingOf(end(null)), {
      kind: "fail",
      error: { message: "ended by SIGKILL", signal: "SIGKILL" },
      retry: true,
    });
  });

  it("fails the task for good with exit code 65, or a result that cannot be stored", () => {
    const bad = { message: "exit code 65", exit_code: 65 };
    assert.deepEqual(endingOf(end(65)), { kind: "fail", error: bad, retry: false });
    const result = { kind: "unusable", problem: "the result file is not a file" } as const;
    const error = { message: "the result file is not a file", exit_code: 0 };
    assert.deepEqual(endingOf(end(0, { result })), { kind: "fail", error, retry: false });
  });

  it("gives the task back with a delay with exit code 75", () => {
    const expected = { kind: "give_back", cause: "exit code 75", delaySeconds: 60 };
    assert.deepEqual(endingOf(end(75)), expected);
  });

  it("gives the task back at once if the command was asked to stop", () => {
    const stoppedBecause = "the worker was stopped by SIGTERM";
    const expected = { kind: "give_back", cause: stoppedBecause, delaySeconds: 0 };
    for (const code of [null, 1, 75, 143]) {
      assert.deepEqual(endingOf(end(code, { stoppedBecause })), expected);
    }
    assert.equal(endingOf(end(65, { stoppedBecause })).kind, "fail");
  });
});
