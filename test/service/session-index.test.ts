import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CompactTask } from "../../src/protocol/compact-task.ts";
import type { Session } from "../../src/service/ports.ts";
import { SessionIndex } from "../../src/service/session-index.ts";
import { TaskIndex } from "../../src/service/task-index.ts";
import type { Task } from "../../src/task/task.ts";
import {
  cancel,
  claimedTask,
  expire,
  NOW,
  release,
  requeue,
  written,
} from "../task/sample-task.ts";

function session(capabilities: string[] = []): Session {
  return {
    sessionId: "alice",
    capabilities,
    metadata: {},
    ttlSeconds: 60,
    registeredAt: NOW,
    instance: null,
    replacedInstances: [],
  };
}

/** A worker that sees `alice` registered, holding a task. */
function holding(task: Task): { index: SessionIndex; becomes: (after: Task) => void } {
  const tasks = new TaskIndex(() => NOW);
  const index = new SessionIndex(tasks);
  index.current();
  index.entry({ kind: "live", writtenAt: NOW, revision: 1, session: session() });
  tasks.current();
  tasks.entry(CompactTask.of(task, 1));
  return {
    index,
    becomes: (after) => {
      const revision = tasks.position.revision + 1;
      tasks.entry(CompactTask.of(after, revision));
    },
  };
}

describe("the index of sessions", () => {
  it("is not set back by entries and writes that come late", () => {
    const index = new SessionIndex(new TaskIndex(() => NOW));
    index.current();
    index.apply(session(["new"]), 5, NOW);
    index.entry({ kind: "gone", sessionId: "alice", revision: 3 });
    index.entry({ kind: "live", writtenAt: NOW, revision: 4, session: session(["old"]) });
    assert.deepEqual(index.get("alice")?.session.capabilities, ["new"]);

    index.entry({ kind: "gone", sessionId: "alice", revision: 6 });
    index.apply(session(), 5, NOW);
    assert.equal(index.get("alice"), undefined);
  });

  it("drops, after a lost connection, the sessions that are gone", () => {
    const index = new SessionIndex(new TaskIndex(() => NOW));
    index.current();
    index.entry({ kind: "live", writtenAt: NOW, revision: 1, session: session() });
    index.entry({
      kind: "live",
      writtenAt: NOW,
      revision: 2,
      session: { ...session(), sessionId: "bob" },
    });
    index.restarted();
    index.entry({
      kind: "live",
      writtenAt: NOW,
      revision: 2,
      session: { ...session(), sessionId: "bob" },
    });
    index.current();
    assert.deepEqual([index.size, index.get("alice")], [1, undefined]);
  });
});

describe("the claims that were taken from a session", () => {
  const held = claimedTask();

  it("are those whose lease ran out, or that an operator requeued", () => {
    for (const command of [expire(), requeue()]) {
      const { index, becomes } = holding(held);
      becomes(written(held, command));
      assert.deepEqual([...index.takenFrom("alice")], [[held.taskId, "lost"]]);
    }
  });

  it("are distinguished from those that were cancelled", () => {
    const { index, becomes } = holding(held);
    becomes(written(held, cancel({ force: true })));
    assert.deepEqual([...index.takenFrom("alice")], [[held.taskId, "cancelled"]]);
  });

  it("are not those that the session has ended itself", () => {
    for (const outcome of ["available", "complete", "failed"] as const) {
      const { index, becomes } = holding(held);
      becomes(written(held, release("alice", outcome)));
      assert.equal(index.takenFrom("alice").size, 0, outcome);
    }
  });

  it("are told once, and not after the session has the task again", () => {
    const { index, becomes } = holding(held);
    const lost = written(held, requeue());
    becomes(lost);
    assert.equal(index.takenFrom("alice").size, 1);
    assert.equal(index.takenFrom("alice").size, 0);
    becomes(held);
    becomes(lost);
    becomes(held);
    assert.equal(index.takenFrom("alice").size, 0);
  });

  it("are forgotten with the session", () => {
    const { index, becomes } = holding(held);
    becomes(written(held, requeue()));
    index.entry({ kind: "gone", sessionId: "alice", revision: 9 });
    assert.equal(index.takenFrom("alice").size, 0);
  });
});
