/**
 * Proves that the verdict of `npm run chaos` can fail. It has to find the bug of each kind of worker, and to
 * pass a run without a bug.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { withFaults } from "../support/faulty-stores.ts";
import { reclaimWithoutAttempt } from "./lease-bugs.ts";
import { assertFound, type Bug, DURATION_MS, problemsWith } from "./planted-run.ts";

/** Overwrites any record. */
const claimWithoutCompareAndSet: Bug = (struck) =>
  withFaults({
    tasks: {
      write: (real) => async (prepared, revision, writeId) => {
        const outcome = await real.write(prepared, revision, writeId);
        if (outcome.kind !== "conflict") return outcome;
        struck(prepared.task.taskId);
        const current = await real.load(prepared.task.taskId);
        return real.write(prepared, current?.revision ?? 0);
      },
    },
  });

/** The worker acknowledges writes of which some are lost. */
const acknowledgementBeforeTheWrite: Bug = (struck) => (stores) => {
  let writes = 0;
  return withFaults({
    tasks: {
      write: (real) => async (prepared, revision, writeId) => {
        if (++writes % 10 !== 0) return real.write(prepared, revision, writeId);
        struck(prepared.task.taskId);
        return { kind: "written", revision: revision + 1 };
      },
    },
  })(stores);
};

/** No task waits for its dependencies. */
const claimBeforeDependencies: Bug = (struck) =>
  withFaults({
    tasks: {
      write: (real) => async (prepared, revision, writeId) => {
        const { task } = prepared;
        // Otherwise the workers would try to block the task forever, and the bucket would never come to rest.
        if (task.lastEvent?.type === "task_blocked") return { kind: "conflict" };
        if (task.status !== "blocked") return real.write(prepared, revision, writeId);
        struck(task.taskId);
        return real.write(real.prepare({ ...task, status: "available" }), revision, writeId);
      },
    },
  });

/** A task that waits for its dependencies waits forever. */
const dependentForgotten: Bug = (struck) =>
  withFaults({
    tasks: {
      write: (real) => async (prepared, revision, writeId) => {
        const { lastEvent, taskId } = prepared.task;
        if (lastEvent?.type !== "task_unblocked") return real.write(prepared, revision, writeId);
        struck(taskId);
        return { kind: "conflict" };
      },
    },
  });

describe("the verdict of a chaos run", () => {
  it("passes workers without a bug", async () => {
    assert.deepEqual(await problemsWith((stores) => stores, delay(DURATION_MS)), []);
  });

  for (const [name, bug, guarantee] of [
    ["a claim without compare-and-set", claimWithoutCompareAndSet, "linearizable"],
    ["an acknowledgement before the write", acknowledgementBeforeTheWrite, "durable"],
    ["a reclaim without the check of the attempt", reclaimWithoutAttempt, "lease"],
    ["a claim before the dependencies are complete", claimBeforeDependencies, "dependencies_first"],
    ["a dependent that is forgotten", dependentForgotten, "dependents_follow"],
  ] as const) {
    it(`finds ${name}`, async () => {
      await assertFound(guarantee, bug);
    });
  }
});
