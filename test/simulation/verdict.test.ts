import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Activity } from "../../src/simulation/activity-log.ts";
import type { RecordedEntry } from "../../src/nats/read-history.ts";
import { type CheckName, judge } from "../../src/simulation/verdict.ts";
import { recoveredHistory, SyntheticHistory } from "./synthetic-history.ts";

const TASK_IDS = ["a", "b"];

/** Both tasks are completed, although one attempt failed and one expired. */
function goodHistory(): SyntheticHistory {
  return recoveredHistory().unblock("b").claim("b", "session-3").release("b", "complete");
}

const GOOD_ACTIVITIES: readonly Activity[] = [
  { sessionId: "session-1", taskId: "a", attempt: 1, action: "failed" },
  { sessionId: "session-2", taskId: "a", attempt: 2, action: "crashed" },
  { sessionId: "session-1", taskId: "a", attempt: 3, action: "completed" },
  { sessionId: "session-3", taskId: "b", attempt: 1, action: "completed" },
];

/** The problems of the checks that fail. */
function failures(
  entries: readonly RecordedEntry[],
  activities: readonly Activity[] = [],
  taskIds: readonly string[] = TASK_IDS,
  revisionsTold: readonly number[] = entries.map(({ revision }) => revision),
): Partial<Record<CheckName, readonly string[]>> {
  const taskOf = (revision: number): string =>
    entries.find((entry) => entry.revision === revision)?.taskId ?? "x";
  const told = revisionsTold.map((revision) => ({ taskId: taskOf(revision), revision }));
  const verdict = judge({ entries, taskIds, activities, told });
  const failed = verdict.checks.filter((check) => !check.passed);
  assert.equal(verdict.passed, failed.length === 0);
  return Object.fromEntries(failed.map(({ name, problems }) => [name, problems]));
}

/** The good history with one of its entries changed. */
function withChange(
  revision: number,
  change: (task: NonNullable<RecordedEntry["task"]>) => RecordedEntry["task"],
): RecordedEntry[] {
  return goodHistory().entries.map((entry) =>
    entry.revision === revision && entry.task !== null
      ? { ...entry, task: change(entry.task) }
      : entry,
  );
}

describe("the verdict on a simulation", () => {
  it("passes a history in which the task is completed after failed and expired attempts", () => {
    assert.deepEqual(failures(goodHistory().entries, GOOD_ACTIVITIES), {});
  });

  it("fails a trimmed history, even if nothing else is wrong with it", () => {
    const entries = goodHistory().entries.filter(({ revision }) => revision !== 1);
    const { history_is_whole } = failures(entries, GOOD_ACTIVITIES);
    assert.deepEqual(history_is_whole, [
      "a: its history was trimmed and begins with task_claimed",
      "b: revisions before 2 are missing",
    ]);
  });

  it("fails a task without history, and a task that nobody imported", () => {
    const { history_is_whole, all_complete } = failures(goodHistory().entries, [], ["b", "c"]);
    assert.deepEqual(history_is_whole, ["a: was not imported", "c: has no history"]);
    assert.deepEqual(all_complete, ["c: ended as unknown"]);
  });

  it("fails a value that is not a task", () => {
    assert.deepEqual(failures(withChange(9, () => null)).history_is_whole, [
      "b: revision 9 is not a task",
    ]);
  });

  it("fails a task that is not complete at the end", () => {
    const entries = goodHistory().entries.slice(0, -1);
    assert.deepEqual(failures(entries), {
      all_complete: ["b: ended as claimed"],
    });
  });

  it("fails a task that was completed twice", () => {
    const history = goodHistory();
    const twice = failures(history.write(history.task("b")).entries);
    assert.deepEqual(twice.completed_once, [
      "b, revision 12: completed again by session-3, after revision 11",
    ]);
  });

  it("passes a task that was imported as complete, once", () => {
    const history = new SyntheticHistory().create("a", [], "complete");
    assert.deepEqual(failures(history.entries, [], ["a"]), {});
  });

  it("fails a claim that came before a dependency was complete", () => {
    const entries = new SyntheticHistory()
      .create("a")
      .create("b", ["a"])
      .claim("a", "session-1")
      .unblock("b")
      .claim("b", "session-2")
      .release("a", "complete")
      .release("b", "complete").entries;
    assert.deepEqual(failures(entries), {
      dependencies_first: ["b, revision 5: claimed before a was complete"],
    });
  });

  it("fails a claim of a task that depends on one which does not exist", () => {
    const entries = new SyntheticHistory()
      .create("b", ["missing"])
      .unblock("b")
      .claim("b", "session-2")
      .release("b", "complete").entries;
    assert.deepEqual(failures(entries, [], ["b"]), {
      dependencies_first: ["b, revision 3: claimed before missing was complete"],
    });
  });

  it("fails two holders of one attempt", () => {
    const history = new SyntheticHistory().create("a").claim("a", "session-1");
    history.write({ ...history.task("a"), claimedBy: "session-2" }).release("a", "complete");
    const { one_holder_per_attempt } = failures(history.entries, [], ["a"]);
    assert.deepEqual(one_holder_per_attempt, [
      "a, revision 3: attempt 1 of session-1 is held by session-2",
    ]);
  });

  it("fails an attempt that another session than its holder completed", () => {
    const entries = withChange(8, (task) => ({
      ...task,
      lastEvent: task.lastEvent && { ...task.lastEvent, sessionId: "session-9" },
    }));
    assert.deepEqual(failures(entries), {
      holder_only: ["a, revision 8: session-9 completed attempt 3, held by session-1"],
    });
  });

  it("fails a claim that did not raise the attempt by one", () => {
    const entries = withChange(10, (task) => ({ ...task, attempt: 3 }));
    assert.deepEqual(failures(entries).attempts_grow, [
      "b, revision 10: the attempt is 3 where 1 is due",
      "b, revision 11: the attempt is 1 where 3 is due",
    ]);
  });

  it("fails a claim whose fencing token is not the revision that it replaced", () => {
    const entries = withChange(5, (task) => ({ ...task, fencingToken: 1 }));
    assert.deepEqual(failures(entries), {
      tokens_grow: [
        "a, revision 5: the fencing token is 1 where 4 is due",
        "a, revision 6: the fencing token is 4 where 1 is due",
      ],
    });
  });

  it("fails a history with a gap", () => {
    const entries = goodHistory().entries.filter(({ revision }) => revision !== 9);
    assert.deepEqual(failures(entries), {
      history_is_whole: ["b: revisions before 10 are missing"],
    });
  });

  it("fails an event that does not begin where the one before it ended", () => {
    const entries = withChange(9, (task) => ({
      ...task,
      lastEvent: task.lastEvent && { ...task.lastEvent, oldStatus: "available" },
    }));
    assert.deepEqual(failures(entries), {
      events_chain: [
        "b, revision 9: task_unblocked comes from available, but the task was blocked",
      ],
    });
  });

  it("fails an event that contradicts its record", () => {
    const entries = withChange(9, (task) => ({ ...task, status: "blocked" }));
    assert.deepEqual(failures(entries).events_chain, [
      "b, revision 9: the task is blocked, but its event says available",
      "b, revision 10: task_claimed comes from available, but the task was blocked",
    ]);
  });

  it("fails a completion of a task that no session had claimed", () => {
    const history = new SyntheticHistory().create("a");
    const before = history.task("a");
    const lastEvent = {
      type: "task_completed",
      oldStatus: "available",
      newStatus: "complete",
      claimedBy: null,
      sessionId: "session-1",
      reason: null,
      timestamp: 0,
      principal: null,
    } as const;
    history.write({ ...before, status: "complete", lastEvent });
    assert.deepEqual(failures(history.entries, [], ["a"]), {
      moves_allowed: ["a, revision 2: task_completed is not allowed while the task is available"],
      holder_only: ["a, revision 2: session-1 completed attempt 0, held by nobody"],
    });
  });

  it("fails a record without an event", () => {
    assert.deepEqual(failures(withChange(9, (task) => ({ ...task, lastEvent: null }))), {
      events_chain: ["b, revision 9: the record has no event"],
    });
  });

  it("fails an expired attempt after which nobody claimed the task again", () => {
    const entries = goodHistory().entries.slice(0, 6);
    assert.deepEqual(failures(entries).attempts_recovered, [
      "a: attempt 1 ended by task_attempt_failed and was not made good",
      "a: attempt 2 ended by task_expired and was not made good",
    ]);
  });

  for (const [action, attempt] of [
    ["completed", 2],
    ["failed", 2],
    ["crashed", 1],
    ["lost", 3],
  ] as const) {
    it(`fails an attempt that a session ${action} but that has another end in the history`, () => {
      const sessionId = attempt === 2 ? "session-2" : "session-1";
      const activity: Activity = { sessionId, taskId: "a", attempt, action };
      assert.deepEqual(failures(goodHistory().entries, [activity]), {
        activities_recorded: [
          `a: ${sessionId} ${action} attempt ${attempt}, which history does not show`,
        ],
      });
    });
  }

  it("fails an activity that the history attributes to another session", () => {
    const activity: Activity = {
      sessionId: "session-4",
      taskId: "b",
      attempt: 1,
      action: "completed",
    };
    assert.deepEqual(Object.keys(failures(goodHistory().entries, [activity])), [
      "activities_recorded",
    ]);
  });

  for (const [problem, told, expected] of [
    ["was not told", [1, 2, 4], "a: revision 3 was not told"],
    ["was told twice", [1, 2, 2, 3, 4], "b: revision 2 was told twice or out of order"],
    ["was told too late", [1, 3, 2, 4], "b: revision 2 was told twice or out of order"],
    ["was invented", [1, 2, 3, 4, 5], "x: revision 5 was told but is not in the bucket"],
  ] as const) {
    it(`fails a revision that ${problem}`, () => {
      const entries = goodHistory().entries.slice(0, 4);
      const { updates_told } = failures(entries, [], TASK_IDS, told);
      assert.deepEqual(updates_told, [expected]);
    });
  }
});
