/** The answer as text: one sentence, the tree, and commands that help. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { helpLines, summaryOf, treeLines } from "../../../src/cli/why/answer.ts";
import type { ChainTask, Found } from "../../../src/cli/why/blocking-chain.ts";
import { explain } from "../../../src/cli/why/explanation.ts";
import type { Lease } from "../../../src/cli/why/reasons.ts";
import { makeReport, type Report, toDocument } from "../../../src/cli/why/report.ts";
import { SessionSummary } from "../../../src/cli/why/session-summary.ts";
import { at, chainOf, chainTask, NOW, type Sketch, tasksOf } from "./sample-chain.ts";

interface Around {
  readonly sessions?: readonly { readonly capabilities: string[]; readonly claims: number }[];
  readonly waiting?: number;
  readonly leases?: Readonly<Record<string, Lease>>;
  readonly depth?: number;
}

function report(root: string, tasks: ReadonlyMap<string, Found>, around: Around = {}): Report {
  const { sessions = [], waiting = 0, leases = {}, depth = 8 } = around;
  const chain = chainOf(root, tasks);
  const summary = new SessionSummary();
  for (const session of sessions) summary.add(session);
  return makeReport(chain, explain(chain, { depth, limit: 50 }), {
    now: NOW,
    demand: { sessions: summary, waiting, ready: 1 },
    leases: new Map(Object.entries(leases)),
  });
}

/** The first line for a task that nothing blocks. */
function alone(fields: Partial<ChainTask>, around?: Around): string {
  return summaryOf(report("a", new Map([["a", chainTask("a", fields)]]), around), NOW);
}

function blocked(sketch: Sketch): string {
  return summaryOf(report("a", tasksOf(sketch)), NOW);
}

const LEASE = { ttl_seconds: 60, expires_at: at(40_000), progress: "3 of 7 files" };

describe("the answer of `task why`", () => {
  it("says who holds the task, for how long, and when the session was last active", () => {
    assert.equal(
      alone({ status: "claimed", claimed_at: at(-300_000) }, { leases: { a: LEASE } }),
      "a is claimed by session-1 for 5m, last sign of life 20s ago, lease ends in 40s, " +
        'progress "3 of 7 files".',
    );
    assert.equal(
      alone({ status: "claimed", cancel_requested: true }),
      "a is claimed by session-1 for 1m, asked to stop, no lease known.",
    );
    const ended = { ...LEASE, expires_at: at(-3_000), progress: null };
    assert.match(alone({ status: "claimed" }, { leases: { a: ended } }), /lease ended 3s ago\.$/);
  });

  it("says how a finished task ended", () => {
    const complete = { completed_by: "session-2", completed_at: at(-7_200_000) };
    assert.equal(alone({ status: "complete", ...complete }), "a is complete by session-2 2h ago.");
    assert.equal(
      alone({ status: "failed", attempt: 3, error: { code: 7 } }),
      'a failed 1m ago, after 3 attempts, "{"code":7}".',
    );
    assert.equal(
      alone({ status: "failed", attempt: 1, error: { message: "exit code 1", exit_code: 1 } }),
      'a failed 1m ago, after 1 attempt, "exit code 1".',
    );
    const last_event = event("task_cancelled", { session_id: "boss", reason: "not needed" });
    assert.equal(
      alone({ status: "cancelled", last_event }),
      'a was cancelled by boss 1m ago, "not needed".',
    );
  });

  it("distinguishes a scheduled start, the delay after a failure, and a task that was given back", () => {
    const not_before = at(90_000);
    const when = `1m30s (${not_before})`;
    assert.equal(alone({ not_before }), `a is scheduled, due in ${when}.`);
    assert.equal(
      alone({ not_before, failures: 1, error: "boom", last_event: event("task_attempt_failed") }),
      `a waits ${when} before the next attempt, after 1 of 3 permitted failures, "boom".`,
    );
    const last_event = event("task_released", { session_id: "session-3", reason: "quota" });
    assert.equal(
      alone({ not_before, last_event }),
      `a was given back by session-3, due in ${when}, "quota".`,
    );
  });

  it("names the capability that no session has", () => {
    const python = { capabilities: ["python"], claims: 0 };
    const gpu = { capabilities: ["gpu"], claims: 0 };
    assert.equal(
      alone({ requires: ["python", "gpu"] }, { sessions: [python] }),
      "a is ready, but no registered session has the capability gpu.",
    );
    assert.equal(
      alone({ requires: ["python", "gpu"] }, { sessions: [python, gpu] }),
      "a is ready, but no registered session has all of the capabilities python and gpu.",
    );
  });

  it("says what the sessions do that could take a ready task", () => {
    const [idle, busy] = [0, 1].map((claims) => ({ capabilities: [], claims }));
    assert.ok(idle !== undefined && busy !== undefined);
    assert.equal(alone({}), "a is ready, but no session is registered and none asks for a task.");
    assert.equal(
      alone({}, { sessions: [busy, busy] }),
      "a is ready, but all 2 sessions hold other tasks (1 task ready).",
    );
    assert.equal(
      alone({}, { sessions: [busy, idle] }),
      "a is ready, but no session asks for a task (2 could do it, 1 of them hold tasks).",
    );
    assert.match(alone({}, { sessions: [idle], waiting: 2 }), /none of the 2 requests that wait/);
  });

  it("names the one task that everything waits for", () => {
    assert.equal(
      blocked({ a: ["b"], b: "claimed" }),
      "a is blocked by b, which is claimed by session-1 for 1m, no lease known.",
    );
    assert.equal(blocked({ a: ["b"] }), "a is blocked by b, which does not exist.");
    assert.match(
      blocked({ a: ["b"], b: ["c"], c: "failed" }),
      /^a is blocked by 2 tasks, which all wait for c, which failed 1m ago/,
    );
  });

  it("counts the tasks that can move, and names some of each kind", () => {
    assert.equal(
      blocked({
        a: ["b", "c", "d", "e", "f"],
        b: "claimed",
        c: "claimed",
        d: "failed",
        e: "available",
      }),
      "a is blocked by 5 tasks: 1 failed (d), 1 missing (f), 2 claimed (b and c) and 1 ready (e).",
    );
    assert.equal(
      blocked({ a: ["b"], b: ["c", "d"], c: "claimed", d: "cancelled" }),
      "a is blocked by 3 tasks, of which 2 come first: 1 cancelled (d) and 1 claimed (c).",
    );
  });

  it("says that a cycle never ends", () => {
    assert.equal(
      blocked({ a: ["b"], b: ["a"] }),
      "a can never start, because dependencies form a cycle: a -> b -> a.",
    );
    assert.match(
      blocked({ a: ["b", "c"], b: ["a"], c: "claimed" }),
      /^a is blocked by 2 tasks?, .*, and a cycle that never ends: a -> b -> a\.$/,
    );
  });
});

describe("the tree of `task why`", () => {
  it("indents each task below the one that it blocks, with title, status and holder", () => {
    const tasks = tasksOf({ a: ["b", "c"], b: ["d"], c: ["d"], d: "claimed" });
    tasks.set("b", chainTask("b", { depends_on: ["d"], title: "Parse\u001b[31m dates" }));
    assert.deepEqual(treeLines(report("a", tasks), NOW), [
      "a: blocked by 2 tasks",
      "  b (Parse␛[31m dates): blocked by 1 task",
      "    d: claimed by session-1 for 1m, no lease known",
      "  c: blocked by 1 task (d: shown elsewhere)",
    ]);
  });

  it("says how many tasks it leaves out", () => {
    const names = Array.from({ length: 13 }, (_, i) => `t${i}`);
    const lines = treeLines(report("a", tasksOf({ a: names })), NOW);
    assert.equal(lines.length, 12);
    assert.equal(lines.at(-1), "  … and 3 more");
  });

  it("is left out if nothing blocks the task", () => {
    assert.deepEqual(treeLines(report("a", tasksOf({ a: "claimed" })), NOW), []);
  });
});

describe("what helps", () => {
  it("is a command for each task that needs a decision", () => {
    const tasks = tasksOf({ a: ["b", "c", "d"], b: "failed", d: "claimed" });
    assert.deepEqual(helpLines(report("a", tasks)), [
      "  if-coordinator task requeue b  # try it again",
      "  if-coordinator task create c   # create the missing task",
    ]);
  });

  it("quotes a capability, so that the command is safe to copy", () => {
    const tasks = new Map([["a", chainTask("a", { requires: ["it's; rm -rf"] })]]);
    assert.match(helpLines(report("a", tasks))[0] ?? "", /run --capability 'it'\\''s; rm -rf' --/);
  });

  it("is left out if the task is being worked on", () => {
    assert.deepEqual(helpLines(report("a", tasksOf({ a: "claimed" }))), []);
  });
});

describe("the JSON document of `task why`", () => {
  it("has a bounded size for a task with 10,000 dependencies", () => {
    const names = Array.from({ length: 10_000 }, (_, i) => `t${i}`);
    const document = toDocument(report("a", tasksOf({ a: names })), "summary");
    const text = JSON.stringify(document);
    assert.ok(text.length < 20_000, String(text.length));
    const { blocked_by_total, ends_total } = JSON.parse(text) as Record<string, unknown>;
    assert.deepEqual([blocked_by_total, ends_total], [10_000, 10_000]);
  });
});

function event(
  type: string,
  fields: { session_id?: string; reason?: string } = {},
): NonNullable<ChainTask["last_event"]> {
  return {
    type,
    task_id: "a",
    old_status: "claimed",
    new_status: "available",
    claimed_by: null,
    session_id: null,
    reason: null,
    timestamp: at(-60_000),
    ...fields,
  };
}
