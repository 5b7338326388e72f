import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Operation } from "../../src/history/linearizability.ts";
import type { Asked, TaskOperation, Told } from "../../src/history/recorded-operation.ts";
import type { RecordedUpdate } from "../../src/history/recording.ts";
import { explain } from "../../src/history/unanswered.ts";
import { encodeTask } from "../../src/protocol/task-record.ts";
import { createTask, DEFINITION_DEFAULTS, type Task } from "../../src/task/task.ts";
import { transition } from "../../src/task/transition.ts";

/** Too many to try every order. */
const CLAIMS = 60;

const CONTEXT = { now: 0, revision: 1, retryPolicy: { baseMs: 1, maxMs: 1 } };
const created = createTask("t", DEFINITION_DEFAULTS, { blocked: false, sessionId: null, now: 0 });

function claimed(by: string): Task {
  const claim = { type: "claim", ttlSeconds: 1, capabilities: [], claimRequest: null } as const;
  const decision = transition(created, { ...claim, sessionId: by, instance: null }, CONTEXT);
  assert.equal(decision.kind, "write");
  return decision.task;
}

function operation(
  asked: Asked,
  told: Told,
  invokedAt: number,
  returnedAt: number,
): Operation<TaskOperation> {
  return { op: { asked, told }, invokedAt, returnedAt };
}

function claimBy(sessionId: string): Asked {
  return { kind: "claim", sessionId, ttlSeconds: 1 };
}

function update(task: Task, revision: number, toldAt: number): RecordedUpdate {
  const type = task.lastEvent?.type ?? "task_created";
  return {
    task_id: "t",
    type,
    revision,
    task: encodeTask(task),
    toldAt,
    transitions_missing: false,
  };
}

const create = operation(
  { kind: "create", maxFailures: 3, maxLostLeases: 0, dependsOn: [] },
  { kind: "ok", seen: { status: "available", claimedBy: null, attempt: 0 } },
  ...[0, 1],
);
const unanswered = Array.from({ length: CLAIMS }, (_, i) =>
  operation(claimBy(`s${i}`), { kind: "unknown" }, 2 + i, Infinity),
);
const seen = (sessionId: string): Operation<TaskOperation> =>
  operation(
    { kind: "get" },
    { kind: "ok", seen: { status: "claimed", claimedBy: sessionId, attempt: 1 } },
    ...[200, 201],
  );

describe("a history with many operations without an answer", () => {
  it("is explained by the one whose update the subscriber received", () => {
    const updates = [update(created, 1, 1), update(claimed("s59"), 2, 150)];
    const { isLinearizable } = explain([create, ...unanswered, seen("s59")], updates);
    assert.ok(isLinearizable);
  });

  it("is explained without updates, which may be late", () => {
    assert.ok(explain([create, ...unanswered.slice(0, 5), seen("s3")], []).isLinearizable);
  });

  it("is not explained by an update that contradicts the answers", () => {
    const updates = [update(created, 1, 1), update(claimed("s1"), 2, 150)];
    const { isLinearizable } = explain([create, ...unanswered.slice(0, 3), seen("s9")], updates);
    assert.ok(!isLinearizable);
  });
});
