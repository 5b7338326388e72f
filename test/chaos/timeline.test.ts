import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Recording } from "../../src/history/recording.ts";
import { formatResult } from "../../scripts/chaos/report.ts";
import type { Result } from "../../scripts/chaos/run.ts";
import { timelinePicture, timelineText } from "../../scripts/chaos/timeline.ts";
import { encodeTask } from "../../src/protocol/task-record.ts";
import { createTask, DEFINITION_DEFAULTS, type Task } from "../../src/task/task.ts";

const created = createTask("t", DEFINITION_DEFAULTS, { blocked: false, sessionId: null, now: 0 });
const claimed: Task = { ...created, status: "claimed", claimedBy: "s1", attempt: 1 };

function resultWithTwoWinners(): Result {
  const recording = new Recording();
  const claim = (client: string, invokedAt: number, returnedAt: number): void => {
    const seen = { status: "claimed", claimedBy: client, attempt: 1 } as const;
    const told = returnedAt === Infinity ? { kind: "unknown" } : { kind: "ok", seen };
    const asked = { kind: "claim", sessionId: client, ttlSeconds: 1 };
    const op = { asked, told } as Recording["operations"][number]["op"];
    recording.operations.push({ taskId: "t", client, op, invokedAt, returnedAt });
  };
  claim("s1", 1_100, 1_150);
  claim("s2", 1_120, 1_180);
  claim("s3", 1_160, Infinity);
  recording.operations.push({ ...recording.operations[0], taskId: "other" } as never);
  for (const [revision, task, toldAt] of [
    [1, created, 1_050],
    [2, claimed, 1_140],
  ] as const) {
    const type = revision === 1 ? "task_created" : "task_claimed";
    const record = encodeTask(task);
    const update = { task_id: "t", type, revision, task: record, toldAt } as const;
    recording.updates.push({ ...update, transitions_missing: false });
  }
  const faults = [
    { at: 130, name: "kill a node" },
    { at: 9_000, name: "much later" },
  ];
  return { recording, entries: [], problems: [], faults, recoveredAfterMs: 0, startedAt: 1_000 };
}

describe("the timeline of a task", () => {
  it("lists operations, updates and faults in the order of time, without other tasks", () => {
    const lines = timelineText(resultWithTwoWinners(), "t").trimEnd().split("\n");
    const words = lines.map((line) => line.trim().split(/\s+/).slice(0, 3).join(" "));
    assert.deepEqual(words, [
      "0.050 s update",
      "0.100 s s1",
      "0.120 s s2",
      "0.130 s ========",
      "0.140 s update",
      "0.160 s s3",
      "9.000 s ========",
    ]);
    assert.match(lines.join("\n"), /s3 .*\(no answer\)/);
  });

  it("is printed with the verdict if the task has a problem", () => {
    const well = resultWithTwoWinners();
    const problem = { guarantee: "linearizable", taskId: "t", what: "cannot be explained" };
    const printed = formatResult({ ...well, problems: [problem] });
    assert.ok(printed.includes(timelineText(well, "t")), printed);
    assert.match(printed, /✘ linearizable: t cannot be explained\n.*: 1 problems$/);
    assert.doesNotMatch(formatResult(well), /update/);
  });

  it("is a picture with a lane for the record and each client, and the faults of that time", () => {
    const svg = timelinePicture(resultWithTwoWinners(), "t");
    const texts = [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map(([, text]) => text);
    for (const lane of ["record", "s1", "s2", "s3"]) assert.ok(texts.includes(lane), lane);
    for (const label of ["created 0", "claimed s1 1", "claim", "kill a node"]) {
      assert.ok(texts.includes(label), `${label} is not in ${texts.join(", ")}`);
    }
    assert.ok(!texts.includes("much later"));
  });
});
