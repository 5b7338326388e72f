import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Judge, type JudgeOptions } from "../../src/history/judge.ts";
import {
  AT_REST,
  judgeDependents,
  judgeLeases,
  type LeaseState,
  type Patience,
} from "../../src/history/state-rules.ts";
import { RULE_NAMES } from "../../src/history/rules.ts";
import type { RecordedEntry } from "../../src/nats/read-history.ts";
import type { Task, TaskEvent } from "../../src/task/task.ts";
import { recordedEntry } from "./recorded-entry.ts";
import { SyntheticHistory } from "../simulation/synthetic-history.ts";

function judged(entries: readonly RecordedEntry[], options: JudgeOptions = {}): Judge {
  const judge = new Judge(options);
  for (const entry of entries) judge.take(entry);
  return judge;
}

/** Each violation as `rule task revision: what`. */
function found({ tally }: Judge): string[] {
  return tally.violations.map(({ rule, taskId, revision, what }) => {
    return `${rule} ${taskId} ${revision}: ${what}`;
  });
}

/** How often each rule could not check something. */
function unchecked({ tally }: Judge): Record<string, number> {
  const counts = [...tally.counts].filter(([, count]) => count.unchecked > 0);
  return Object.fromEntries(counts.map(([rule, count]) => [rule, count.unchecked]));
}

function changed(
  { entries }: SyntheticHistory,
  revision: number,
  change: (entry: RecordedEntry & { task: Task }) => Partial<RecordedEntry>,
): RecordedEntry[] {
  return entries.map((entry) => {
    const { task } = entry;
    if (entry.revision !== revision || task === null) return entry;
    return { ...entry, ...change({ ...entry, task }) };
  });
}

function withEvent(task: Task, change: Partial<TaskEvent>): Task {
  return { ...task, lastEvent: task.lastEvent && { ...task.lastEvent, ...change } };
}

const BY_HAND = { isByWorker: false, replaces: null } as const;

describe("the rules of a history", () => {
  it("let an operator end the attempt of a session", () => {
    const { entries } = new SyntheticHistory().create("a").claim("a", "session-1").cancel("a");
    assert.deepEqual(found(judged(entries)), []);
  });

  it("find two holders of one attempt", () => {
    const history = new SyntheticHistory().create("a").claim("a", "session-1");
    history.release("a", "available").claim("a", "session-2");
    const entries = changed(history, 4, ({ task }) => ({ task: { ...task, attempt: 1 } }));
    assert.deepEqual(found(judged(entries)), [
      "one_holder_per_attempt a 4: attempt 1 of session-1 is held by session-2",
      "attempts_grow a 4: the attempt is 1 where 2 is due",
    ]);
  });

  it("find a claim that passes to another process of its session", () => {
    const history = new SyntheticHistory().create("a").claim("a", "session-1").ask("a");
    const entries = changed(history, 3, ({ task }) => ({ task: { ...task, claimInstance: "i" } }));
    assert.deepEqual(found(judged(entries)), [
      "one_holder_per_attempt a 3: attempt 1 has passed to another process",
    ]);
  });

  it("find a write that replaced another record than the newest", () => {
    const history = new SyntheticHistory().create("a").claim("a", "session-1").expire("a");
    const entries = changed(history, 3, () => ({ replaces: 1 }));
    assert.deepEqual(found(judged(entries)), [
      "newest_replaced a 3: it replaced revision 1, although 2 was there",
    ]);
  });

  it("find a transition that the rules do not allow, and a claim before its time", () => {
    const history = new SyntheticHistory().create("a").claim("a", "session-1");
    history.release("a", "complete");
    const lastEvent: TaskEvent = {
      ...{ type: "task_unblocked", oldStatus: "complete", newStatus: "available" },
      ...{ claimedBy: null, sessionId: null, reason: null, timestamp: 0 },
      principal: null,
    };
    history.write({ ...history.task("a"), status: "available", lastEvent });
    const early = new SyntheticHistory().create("b").claim("b", "session-1");
    const notBefore = Date.UTC(2030, 0, 1);
    const entries = changed(early, 1, ({ task }) => ({ task: { ...task, notBefore } }));
    assert.deepEqual(found(judged(history.entries)), [
      "moves_allowed a 4: task_unblocked is not allowed while the task is complete",
    ]);
    assert.deepEqual(found(judged(entries)), [
      "moves_allowed b 2: task_claimed before the task is due at 2030-01-01T00:00:00.000Z",
    ]);
  });

  it("find a new task with a status that no task is created with", () => {
    const history = new SyntheticHistory().create("a");
    const entries = changed(history, 1, ({ task }) => ({
      task: withEvent({ ...task, status: "failed" }, { newStatus: "failed" }),
    }));
    assert.deepEqual(found(judged(entries)), ["moves_allowed a 1: task_created makes it failed"]);
  });

  it("find a completion in the name of another session", () => {
    const history = new SyntheticHistory().create("a").claim("a", "session-1");
    history.release("a", "complete");
    const entries = changed(history, 3, ({ task }) => ({
      task: { ...task, completedBy: "session-2" },
    }));
    assert.deepEqual(found(judged(entries)), [
      "holder_only a 3: session-1 completed it, but the record names session-2",
    ]);
  });

  it("find a lease that ended too soon after its claim, but not after a revival", () => {
    const history = new SyntheticHistory().create("a").claim("a", "session-1").expire("a");
    const [, claim] = history.entries;
    const early = changed(history, 3, () => ({ writtenAt: (claim?.writtenAt ?? 0) + 20 }));
    assert.deepEqual(found(judged(early)), [
      "leases_last a 3: the lease of attempt 1 expired after 20 ms",
    ]);
  });

  it("find a task that was completed twice, but not after a requeue or a removal", () => {
    const once = new SyntheticHistory().create("a").claim("a", "session-1");
    once.release("a", "complete").requeue("a").claim("a", "session-2").release("a", "complete");
    assert.deepEqual(found(judged(once.entries)), []);
    const removed = new SyntheticHistory().create("a").claim("a", "session-1");
    removed.release("a", "complete").remove("a").create("a").claim("a", "session-2");
    assert.deepEqual(found(judged(removed.release("a", "complete").entries)), []);
  });

  it("accept what is written by hand, except that an attempt goes back", () => {
    const history = new SyntheticHistory().create("a").claim("a", "session-1");
    history.release("a", "available");
    const last = history.task("a");
    const edits = [
      { ...last, priority: 0 },
      { ...last, attempt: 0, lastEvent: null },
    ].map((task, i) => recordedEntry({ taskId: "a", revision: 4 + i, task, ...BY_HAND }));
    const entries = [...history.entries, ...edits];
    const judge = judged(entries);
    assert.deepEqual(found(judge), ["attempts_grow a 5: the attempt is 0 where 1 is due"]);
    assert.equal(judge.tally.violations[0]?.isByHand, true);
    assert.equal(judge.tally.counts.get("moves_allowed")?.reasons.get("by_hand"), 2);
  });

  it("accept an event of a newer version", () => {
    const history = new SyntheticHistory().create("a").claim("a", "session-1");
    const entries = changed(history, 2, ({ task }) => ({
      task: withEvent(task, { type: "task_borrowed" }),
    }));
    const counts = judged(entries).tally.counts.get("moves_allowed");
    assert.equal(counts?.reasons.get("newer"), 1);
  });

  it("accept a value that is not a task, and compare nothing with it", () => {
    const history = new SyntheticHistory().create("a").claim("a", "session-1").expire("a");
    const entries = changed(history, 2, () => ({ task: null, unreadable: "not JSON" }));
    const judge = judged(entries);
    assert.deepEqual(found(judge), []);
    assert.equal(judge.tally.counts.get("holder_only")?.reasons.get("trimmed"), 1);
  });

  it("count what they cannot check, by rule and by task", () => {
    const history = new SyntheticHistory().create("a").create("b", ["a"]).claim("a", "session-1");
    history.release("a", "complete").unblock("b").claim("b", "session-2");
    const kept = history.entries.slice(4);
    const judge = judged(kept);
    assert.deepEqual(found(judge), []);
    assert.deepEqual(unchecked(judge), {
      attempts_grow: 1,
      tokens_grow: 1,
      newest_replaced: 1,
      events_chain: 1,
      moves_allowed: 1,
      completed_once: 1,
      dependencies_first: 1,
    });
    const [task] = judge.tally.uncheckedTasks();
    assert.equal(task?.taskId, "b");
    assert.equal(task.rules.length, 7);
  });

  it("keep a limited number of violations and count the others", () => {
    const history = new SyntheticHistory().create("a");
    for (let i = 0; i < 5; i++) history.write({ ...history.task("a"), attempt: i % 2 });
    const { tally } = judged(history.entries, { maxKept: 2 });
    assert.equal(tally.violations.filter(({ rule }) => rule === "attempts_grow").length, 2);
    assert.equal(tally.counts.get("attempts_grow")?.violations, 4);
  });

  it("have a count for every rule", () => {
    assert.deepEqual([...new Judge().tally.counts.keys()], RULE_NAMES);
  });
});

describe("the rules for the state of tasks", () => {
  const NOW = Date.UTC(2026, 0, 1);
  const patient = (lastWorkAt: number): Patience => ({ lastWorkAt, graceMs: 90_000 });

  it("compare the status of a task with its dependencies at the end", () => {
    const history = new SyntheticHistory().create("a").create("b", ["a"]);
    const after = (entries: readonly RecordedEntry[], patience = AT_REST): string[] => {
      const judge = judged(entries);
      judgeDependents(judge, patience);
      return found(judge);
    };
    assert.deepEqual(after(history.entries), []);
    history.claim("a", "session-1").release("a", "complete");
    assert.deepEqual(after(history.entries), [
      "dependents_follow b 2: is still blocked, though all of its dependencies are complete",
    ]);
    const { entries } = new SyntheticHistory().create("b", ["missing"]).unblock("b");
    assert.deepEqual(after(entries), [
      "dependents_follow b 2: is available, though missing is not complete",
    ]);
    // The completion is the fourth entry, one minute after the third.
    const completedAt = history.entries.at(-1)?.writtenAt ?? 0;
    assert.deepEqual(after(history.entries, patient(completedAt + 89_999)), []);
    assert.equal(after(history.entries, patient(completedAt + 90_000)).length, 1);
  });

  it("find a claim that has had no lease for too long", () => {
    const { entries } = new SyntheticHistory().create("a").claim("a", "session-1");
    const claimedAt = entries.at(-1)?.writtenAt ?? NOW;
    const after = (lease: LeaseState | undefined, lastWorkAt: number, key = "1-0.a"): string[] => {
      const judge = judged(entries);
      judgeLeases(judge, new Map(lease === undefined ? [] : [[key, lease]]), patient(lastWorkAt));
      return found(judge);
    };
    const live = { isLive: true, writtenAt: claimedAt };
    const late = claimedAt + 200_000;
    const broken = ["claims_leased a 2: is claimed by session-1 (attempt 1) without a lease"];
    assert.deepEqual(after(live, late), []);
    assert.deepEqual(after(undefined, late), broken);
    assert.deepEqual(after(live, late, "1-1.a"), broken);
    assert.deepEqual(after(undefined, claimedAt + 1_000), []);
    assert.deepEqual(after({ isLive: false, writtenAt: late - 1_000 }, late), []);
    assert.deepEqual(after({ isLive: false, writtenAt: late - 100_000 }, late), broken);
  });
});
