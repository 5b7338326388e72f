/** Verdicts on tasks, leases and claims, and the search for what does not fit. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { idleClaims, suspectClaims, suspectLeases } from "../../../src/cli/doctor/lease-facts.ts";
import {
  judgeCapabilities,
  judgeClaims,
  judgeDependencies,
  judgeRecords,
  type TaskBrief,
  type TasksFacts,
} from "../../../src/cli/doctor/verdicts/tasks.ts";
import { parseLeaseKey } from "../../../src/protocol/lease-key.ts";

const HOUR = 3_600_000;
const NOW = Date.parse("2026-01-01T00:00:00Z");
const AVAILABLE: TaskBrief = {
  ...{ status: "available", dependsOn: [], requires: [], claimedBy: null, attempt: 0 },
  leaseEpoch: 0,
  claimedAt: null,
};

function tasksOf(
  tasks: Readonly<Record<string, Partial<TaskBrief>>>,
  isComplete = true,
): TasksFacts {
  const byId = Object.entries(tasks).map(([id, task]) => [id, { ...AVAILABLE, ...task }] as const);
  return { byId: new Map(byId), isComplete };
}

function claimedFor(ms: number): Partial<TaskBrief> {
  return { status: "claimed", claimedBy: "s1", attempt: 2, claimedAt: NOW - ms };
}

function leasesOf(...keys: string[]) {
  return new Map(
    keys.map((key) => {
      const name = parseLeaseKey(key);
      assert.ok(name !== null);
      return [key, { ...name, sessionId: "s1", hasProgress: name.taskId === "busy" }];
    }),
  );
}

describe("the verdict on dependencies", () => {
  it("takes no long time for 100,000 tasks that wait for one id", () => {
    const waiting = { ...AVAILABLE, status: "blocked", dependsOn: ["missing"] };
    const byId = new Map(Array.from({ length: 100_000 }, (_, i) => [`t${i}`, waiting] as const));
    const started = performance.now();
    const [finding] = judgeDependencies({ byId, isComplete: true }, 0);
    assert.ok(performance.now() - started < 5_000);
    assert.equal(
      finding?.text,
      "100,000 tasks wait for ids that do not exist: missing (for t0, t1 and 99,998 more)",
    );
  });

  it("says nothing about ids that may be among the tasks that were not read", () => {
    const tasks = tasksOf({ a: { status: "blocked", dependsOn: ["b"] } }, false);
    const [finding] = judgeDependencies(tasks, 0);
    assert.deepEqual([finding?.verdict, finding?.code], ["ok", null]);
    assert.match(finding?.text ?? "", /among the tasks that were read$/);
  });

  it("shows a long circle in short", () => {
    const ring = Array.from({ length: 50 }, (_, i) => [
      `t${i}`,
      { status: "blocked", dependsOn: [`t${(i + 1) % 50}`] },
    ]);
    const [finding] = judgeDependencies(tasksOf(Object.fromEntries(ring)), 0);
    assert.match(finding?.text ?? "", /^t0 -> t1 -> .* -> \.\.\. -> t0$/);
  });
});

describe("the verdict on capabilities", () => {
  it("wants one session that has all of them", () => {
    const tasks = tasksOf({
      a: { requires: ["gpu", "go"] },
      b: { status: "complete", requires: ["x"] },
    });
    assert.equal(judgeCapabilities(tasks, [["gpu"], ["go"]])[0]?.code, "missing_capability");
    assert.equal(judgeCapabilities(tasks, [["go", "gpu", "more"]])[0]?.code, null);
    assert.match(judgeCapabilities(tasksOf({}), [])[0]?.text ?? "", /^no unfinished task requires/);
  });
});

describe("leases and claims", () => {
  it("do not fit if attempt or epoch differ, or one of them is missing", () => {
    const tasks = tasksOf({
      fits: claimedFor(HOUR),
      older: claimedFor(HOUR),
      begun: { ...claimedFor(HOUR), leaseEpoch: 1 },
      none: claimedFor(HOUR),
      fresh: claimedFor(1_000),
      free: {},
    });
    const leases = leasesOf("2-0.fits", "1-0.older", "2-0.begun", "1-0.free", "1-0.unknown");
    const suspects = ["1-0.older", "2-0.begun", "1-0.free", "1-0.unknown"];
    assert.deepEqual(suspectLeases(leases, tasks), suspects);
    assert.deepEqual(suspectClaims(leases, tasks, NOW), ["older", "begun", "none"]);
    const known = suspects.slice(0, -1);
    assert.deepEqual(suspectLeases(leases, { ...tasks, isComplete: false }), known);
  });

  it("are overdue without progress, the oldest first", () => {
    const tasks = tasksOf({
      new: claimedFor(HOUR),
      b: claimedFor(5 * HOUR),
      a: claimedFor(9 * HOUR),
      busy: claimedFor(9 * HOUR),
    });
    const leases = leasesOf("2-0.busy");
    const idle = idleClaims(leases, tasks, NOW, 4 * HOUR);
    const [finding] = judgeClaims(4, idle, 4 * HOUR);
    assert.equal(
      finding?.text,
      "held without a report of progress: a by s1 for 9h, b by s1 for 5h",
    );
    assert.match(judgeClaims(4, [], 4 * HOUR)[0]?.text ?? "", /^4 claims, none without progress/);
  });
});

describe("the verdict on records", () => {
  it("counts values that are not tasks, and says if not all tasks were read", () => {
    const [corrupt, cut] = judgeRecords(tasksOf({ a: {} }, false), 3, ["x", "y"]);
    assert.equal(corrupt?.text, "3 values are not tasks: x, y");
    assert.match(corrupt.cure ?? "", /"nats kv get tasks x"/);
    assert.equal(cut?.code, "tasks_cut");
  });
});
