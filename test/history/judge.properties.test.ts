/** The judge finds nothing in what workers can write, however it was trimmed, and finds what was changed. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Judge } from "../../src/history/judge.ts";
import type { RuleName } from "../../src/history/rules.ts";
import { AT_REST, judgeDependents } from "../../src/history/state-rules.ts";
import type { Violation } from "../../src/history/tally.ts";
import type { RecordedEntry } from "../../src/nats/read-history.ts";
import type { Task } from "../../src/task/task.ts";
import { histories, historyAfter, steps, trimmed } from "./random-history.ts";

const RUNS = { numRuns: 300 };

function violationsIn(entries: readonly RecordedEntry[], hasGaps?: boolean): readonly Violation[] {
  const judge = new Judge(hasGaps === undefined ? {} : { hasGaps });
  for (const entry of entries) judge.take(entry);
  judgeDependents(judge, AT_REST);
  return judge.tally.violations;
}

describe("the judge of a history", () => {
  it("finds nothing in histories that workers write", () => {
    fc.assert(
      fc.property(histories, (entries) => {
        assert.deepEqual(violationsIn(entries), []);
      }),
      RUNS,
    );
  });

  it("finds nothing if the bucket has kept only the last records of each task", () => {
    fc.assert(
      fc.property(histories, fc.integer({ min: 1, max: 8 }), (entries, depth) => {
        assert.deepEqual(violationsIn(trimmed(entries, depth)), []);
      }),
      RUNS,
    );
  });

  it("finds nothing in a prefix, and nothing if records vanish while it reads", () => {
    fc.assert(
      fc.property(histories, fc.double({ min: 0, max: 1 }), fc.nat(), (entries, share, seed) => {
        const prefix = entries.slice(0, Math.ceil(entries.length * share));
        // Of some tasks the earlier half is gone, so what is left may begin or go on anywhere.
        const left = prefix.filter(({ taskId, revision }, i) => {
          return i > prefix.length / 2 || (revision * 31 + taskId.length + seed) % 5 !== 0;
        });
        const judge = new Judge();
        for (const entry of left) judge.take(entry);
        const found = judge.tally.violations.filter(({ restsOn }) => restsOn.length === 0);
        assert.deepEqual(found, []);
      }),
      RUNS,
    );
  });

  it("says what it could not check as soon as something is gone", () => {
    const entries = historyAfter([]);
    const judge = new Judge();
    for (const entry of entries.slice(1)) judge.take(entry);
    assert.deepEqual(judge.tally.violations, []);
    const whole = new Judge();
    for (const entry of entries) whole.take(entry);
    assert.deepEqual([...whole.tally.uncheckedTasks()], []);
  });

  /** Changes one record of a good history, so that it breaks the rule. */
  const forgeries: readonly {
    readonly rule: RuleName;
    readonly of: string;
    readonly change: (task: Task) => Task;
  }[] = [
    {
      rule: "attempts_grow",
      of: "task_claimed",
      change: (task) => ({ ...task, attempt: task.attempt + 1 }),
    },
    {
      rule: "attempts_grow",
      of: "task_expired",
      change: (task) => ({ ...task, attempt: task.attempt - 1 }),
    },
    {
      rule: "tokens_grow",
      of: "task_claimed",
      change: (task) => ({ ...task, fencingToken: task.fencingToken - 1 }),
    },
    {
      rule: "holder_only",
      of: "task_completed",
      change: (task) => withEvent(task, { sessionId: "mallory" }),
    },
    {
      rule: "holder_only",
      of: "task_renewed",
      change: (task) => withEvent(task, { sessionId: "mallory" }),
    },
    {
      rule: "one_holder_per_attempt",
      of: "task_renewed",
      change: (task) => ({ ...task, claimedBy: "mallory" }),
    },
    {
      rule: "events_chain",
      of: "task_requeued",
      change: (task) => withEvent(task, { oldStatus: "blocked" }),
    },
    {
      rule: "moves_allowed",
      of: "task_expired",
      change: (task) => ({ ...task, lostLeases: task.lostLeases + 1 }),
    },
    {
      rule: "moves_allowed",
      of: "task_released",
      change: (task) => ({ ...task, dependsOn: ["another"] }),
    },
  ];
  for (const { rule, of, change } of forgeries) {
    it(`finds the break of ${rule} in a changed ${of}`, () => {
      let changed = 0;
      fc.assert(
        fc.property(steps, fc.nat(), (taken, which) => {
          const entries = historyAfter(taken);
          const candidates = entries.filter(({ task, isByWorker }) => {
            return isByWorker && task?.lastEvent?.type === of;
          });
          const target = candidates[which % Math.max(1, candidates.length)];
          if (target?.task == null) return;
          const forged = { ...target, task: change(target.task) };
          const found = violationsIn(entries.map((entry) => (entry === target ? forged : entry)));
          // What is left of a purged task begins with a record of which the past is not known.
          const previous = entries.findLast(
            ({ taskId, revision }) => taskId === target.taskId && revision < target.revision,
          );
          if (previous?.task == null) return;
          changed++;
          assert.ok(
            found.some((one) => one.rule === rule && one.revision === target.revision),
            JSON.stringify(found),
          );
        }),
        RUNS,
      );
      assert.ok(changed > 10, `only ${changed} histories had such a record`);
    });
  }
});

function withEvent(task: Task, change: Partial<NonNullable<Task["lastEvent"]>>): Task {
  return { ...task, lastEvent: task.lastEvent && { ...task.lastEvent, ...change } };
}
