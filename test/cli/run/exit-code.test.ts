import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { exitCodeOf, type RunMode } from "../../../src/cli/run/exit-code.ts";
import type { Outcome } from "../../../src/cli/run/run-report.ts";
import type { RunSummary } from "../../../src/cli/run/runner.ts";

function summary(outcomes: readonly Outcome[], changes: Partial<RunSummary> = {}): RunSummary {
  const counts = new Map(outcomes.map((outcome) => [outcome, 1]));
  return { counts, failedForGood: 0, deadEnds: [], idle: null, ...changes };
}

const ONCE: RunMode = { once: true, interrupt: null };
const EMPTY: RunMode = { untilEmpty: true, interrupt: null };
const ENDLESS: RunMode = { interrupt: null };

describe("the exit code of run", () => {
  for (const [name, given, mode, expected] of [
    ["one task is complete", summary(["completed"]), ONCE, 0],
    ["one task failed", summary(["failed"], { failedForGood: 1 }), ONCE, 1],
    ["one task was given back", summary(["given_back"]), ONCE, 1],
    ["one task was lost", summary(["lost"]), ONCE, 4],
    ["one task was cancelled", summary(["cancelled"]), ONCE, 4],
    ["no task came", summary([], { idle: "waited" }), ONCE, 5],
    ["no task came", summary([], { idle: "waited" }), ENDLESS, 5],
    ["no more tasks came", summary(["completed"], { idle: "waited" }), ENDLESS, 0],
    [
      "tasks are left that did not become ready",
      summary(["completed"], { idle: "waited" }),
      EMPTY,
      5,
    ],
    ["nothing was there", summary([], { idle: "empty" }), EMPTY, 0],
    [
      "an attempt failed and another one was successful",
      summary(["failed", "completed"]),
      EMPTY,
      0,
    ],
    ["a task failed for good", summary(["completed", "failed"], { failedForGood: 1 }), EMPTY, 1],
    ["a dead end is left", summary(["completed"], { idle: "empty", deadEnds: ["a"] }), EMPTY, 1],
    ["Ctrl-C was pressed", summary(["completed"]), { interrupt: "SIGINT" }, 130],
    ["it was terminated", summary([]), { interrupt: "SIGTERM" }, 143],
    ["its terminal was closed", summary([]), { interrupt: "SIGHUP" }, 143],
  ] as const) {
    const how = mode === ONCE ? " with --once" : mode === EMPTY ? " with --until-empty" : "";
    it(`is ${expected}${how} if ${name}`, () => {
      assert.equal(exitCodeOf(given, mode), expected);
    });
  }
});
