import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BoardModel, type BoardOptions, type BoardView } from "../../../src/cli/board/model.ts";
import { Sessions } from "../../../src/cli/board/session-table.ts";
import type { TaskRecord } from "../../../src/protocol/task-record.ts";
import { claimedRecord, NOW, taskRecord, taskUpdate } from "./task-record.ts";

const ROWS = 50;

function modelOf(tasks: readonly TaskRecord[], options: BoardOptions = {}): BoardModel {
  const model = new BoardModel(NOW, options);
  model.beginScan();
  model.addPage({ tasks, revision: 50 }, true);
  return model;
}

function idsOf(tasks: readonly { readonly id: string }[]): string[] {
  return tasks.map(({ id }) => id);
}

function later(seconds: number): number {
  return NOW + seconds * 1_000;
}

function inSeconds(seconds: number): string {
  return new Date(later(seconds)).toISOString();
}

function sessionsOf(...sessions: readonly (readonly [string, string[]])[]): Sessions {
  const all = new Sessions();
  all.add(sessions.map(([session_id, capabilities]) => ({ session_id, capabilities, claims: 0 })));
  return all;
}

describe("the ready queue of the board", () => {
  it("has the most urgent first, then the oldest", () => {
    const model = modelOf([
      taskRecord("a", { created_revision: 1 }),
      taskRecord("b", { created_revision: 2, priority: 0 }),
      taskRecord("c", { created_revision: 3 }),
      taskRecord("d", { created_revision: 4, status: "blocked" }),
    ]);
    const view = model.view(NOW, ROWS);
    assert.deepEqual(idsOf(view.ready), ["b", "a", "c"]);
    assert.equal(view.readyTotal, 3);
  });

  it("has a delayed task once it is due", () => {
    const model = modelOf([taskRecord("a", { not_before: inSeconds(30) })]);
    assert.deepEqual(idsOf(model.view(later(29), ROWS).ready), []);
    assert.deepEqual(idsOf(model.view(later(30), ROWS).ready), ["a"]);
  });

  it("says how many tasks need what no registered session can do", () => {
    const model = modelOf([
      taskRecord("a", { requires: ["python", "gpu"] }),
      taskRecord("b", { requires: ["python"], created_revision: 2 }),
      taskRecord("c", { created_revision: 3 }),
    ]);
    assert.equal(model.view(NOW, ROWS).stuck, 0, "the sessions are not known yet");
    model.setSessions(sessionsOf(["s1", ["python"]], ["s2", ["gpu"]]));
    const view = model.view(NOW, ROWS);
    assert.equal(view.stuck, 1, "no session has both");
    assert.deepEqual(
      view.ready.map(({ isStuck }) => isStuck),
      [true, false, false],
    );
    model.setSessions(sessionsOf(["s1", ["gpu", "python"]]));
    assert.equal(model.view(NOW, ROWS).stuck, 0);
  });

  it("keeps 5,000 of 100,000 tasks, and asks for another scan when they run out", () => {
    const tasks = Array.from({ length: 100_000 }, (_, index) =>
      taskRecord(`t${index}`, { created_revision: index + 1, priority: index % 5 }),
    );
    const model = modelOf(tasks);
    model.setStats({ tasks: { available: 100_000 } as never, ready: 100_000, dead_ends: 0 });
    const view = model.view(NOW, ROWS);
    assert.deepEqual(idsOf(view.ready).slice(0, 2), ["t0", "t5"]);
    assert.equal(view.readyTotal, 100_000);
    assert.equal(model.needsScan, false);
    for (const task of tasks.filter(({ priority }) => priority === 0).slice(0, 4_500)) {
      const done = { ...task, status: "complete" } as const;
      model.update(taskUpdate(done, { old_status: "available", type: "task_completed" }), NOW);
    }
    assert.equal(model.needsScan, true);
  });
});

describe("the claims of the board", () => {
  it("have the longest first, with what is known of the lease", () => {
    const model = modelOf([
      claimedRecord("a", "s1", 10),
      claimedRecord("b", "s2", 130, { created_revision: 2 }),
    ]);
    const lease = { ttl_seconds: 60, expires_at: inSeconds(40), progress: { done: 3, total: 10 } };
    model.setLeases([
      { task: claimedRecord("a", "s1", 10), lease } as never,
      // A claim that has ended meanwhile.
      { task: claimedRecord("b", "s9", 500, { attempt: 0 }), lease } as never,
    ]);
    const held = model.view(NOW, ROWS).held.map(({ id, heldMs, leaseMs, progress }) => {
      return { id, heldMs, leaseMs, progress };
    });
    assert.deepEqual(held, [
      { id: "b", heldMs: 130_000, leaseMs: null, progress: null },
      { id: "a", heldMs: 10_000, leaseMs: 40_000, progress: "done 3, total 10" },
    ]);
  });

  it("can be those of one session", () => {
    const tasks = [claimedRecord("a", "s1", 10), claimedRecord("b", "s2", 10)];
    const view = modelOf(tasks, { wantsSession: (id) => id === "s2" }).view(NOW, ROWS);
    assert.deepEqual(idsOf(view.held), ["b"]);
    assert.equal(view.heldTotal, 1);
  });
});

describe("the events of the board", () => {
  const claimed = claimedRecord("a", "s1", 0);

  it("have the newest first, with the reason, or otherwise the title", () => {
    const model = modelOf([taskRecord("a")]);
    model.update(taskUpdate(claimed, { old_status: "available", type: "task_claimed" }), NOW);
    const expired = taskUpdate(taskRecord("a"), {
      ...{ old_status: "claimed", type: "task_expired", reason: "lease expired" },
      ...{ session_id: "s1", revision: 101 },
    });
    model.update(expired, NOW);
    assert.deepEqual(
      model.view(NOW, ROWS).events.map(({ type, session, detail }) => [type, session, detail]),
      [
        ["expired", "s1", "lease expired"],
        ["claimed", "s1", "Title of a"],
      ],
    );
    assert.deepEqual(idsOf(model.view(NOW, ROWS).ready), ["a"]);
  });

  it("before the board was opened are listed, but do not change what the scan has found", () => {
    const model = new BoardModel(NOW);
    model.trackAfter(50);
    model.beginScan();
    model.addPage({ tasks: [taskRecord("a")], revision: 50 }, true);
    const old = { old_status: "available", type: "task_claimed", revision: 49 } as const;
    model.update(taskUpdate(claimed, old), NOW);
    const view = model.view(NOW, ROWS);
    assert.deepEqual(idsOf(view.ready), ["a"]);
    assert.equal(view.events.length, 1);
  });

  it("count as activity when they happened", () => {
    const model = modelOf([]);
    const complete = taskRecord("a", { status: "complete" });
    for (const [secondsAgo, type] of [
      [70, "task_completed"],
      [5, "task_completed"],
      [4, "task_attempt_failed"],
    ] as const) {
      model.update(taskUpdate(complete, { type, timestamp: inSeconds(-secondsAgo) }), NOW);
    }
    const { activity } = model.view(NOW, ROWS);
    assert.equal(activity.completedLastMinute, 1);
    assert.equal(activity.failedLastMinute, 1);
    assert.equal(
      activity.completed.reduce((sum, count) => sum + count),
      2,
    );
    assert.equal(model.view(later(700), ROWS).activity.completedLastMinute, 0);
  });

  it("contain nothing that a terminal could obey, and no long text", () => {
    const model = modelOf([]);
    const title = `\u001B[2J\u001B]0;owned\u0007\r\n${"x".repeat(60_000)}`;
    model.update(taskUpdate(taskRecord("a", { title }), {}), NOW);
    const shown = JSON.stringify(model.view(NOW, ROWS));
    assert.doesNotMatch(shown, /\\u001b|\\u0007|\\[rn]/i);
    assert.ok(shown.length < 10_000);
  });
});

describe("the counts of the board", () => {
  it("are those of the coordinator if all tasks are shown", () => {
    const model = modelOf([taskRecord("a")]);
    assert.equal(model.view(NOW, ROWS).counts.size, 0, "not known yet");
    model.setStats({ tasks: { available: 7 } as never, ready: 5, dead_ends: 1 });
    const { counts, deadEnds } = model.view(NOW, ROWS);
    assert.deepEqual([counts.get("available"), deadEnds], [7, 1]);
  });

  it("are made from scan and updates if only some tasks are shown", () => {
    const model = modelOf([taskRecord("a"), taskRecord("b", { created_revision: 2 })], {
      countsHere: true,
    });
    const claimed = claimedRecord("a", "s1", 0);
    model.update(taskUpdate(claimed, { old_status: "available", type: "task_claimed" }), NOW);
    const { counts } = model.view(NOW, ROWS);
    assert.deepEqual(Object.fromEntries(counts), { available: 1, claimed: 1 });
  });

  it("are made again if a task was removed, because its status is unknown", () => {
    const tasks = [taskRecord("a"), taskRecord("b", { created_revision: 2 })];
    const model = modelOf(tasks, { countsHere: true });
    model.removed("a");
    assert.equal(model.needsScan, true);
    assert.deepEqual(idsOf(model.view(NOW, ROWS).ready), ["b"]);
    const ofAll = modelOf(tasks);
    ofAll.removed("a");
    assert.equal(ofAll.needsScan, false, "the coordinator counts");
  });

  it("are made again if updates are missing", () => {
    const model = modelOf([taskRecord("a")]);
    assert.equal(model.needsScan, false);
    model.update(taskUpdate(taskRecord("a"), { transitions_missing: true }), NOW);
    assert.equal(model.needsScan, true);
  });
});

describe("the connection on the board", () => {
  it("says since when it is lost", () => {
    const model = modelOf([]);
    const stateAt = (now: number): Partial<BoardView> => {
      const { connection, connectionMs } = model.view(now, ROWS);
      return { connection, connectionMs };
    };
    model.setConnection("disconnected", later(5));
    model.setConnection("disconnected", later(8));
    assert.deepEqual(stateAt(later(9)), { connection: "disconnected", connectionMs: 4_000 });
    model.setConnection("connected", later(10));
    assert.equal(stateAt(later(11)).connection, "connected");
  });
});
