/**
 * Proves that the verdict of `npm run chaos` can fail. It has to find the bug of each kind of worker, and to
 * pass a run without a bug.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { stuckClaims, untilTold } from "../../scripts/chaos/run.ts";
import type { Problem } from "../../src/history/history.ts";
import { judge } from "../../src/history/verdict.ts";
import { Workload } from "../../scripts/lab/workload.ts";
import type { Stores } from "../../src/service/ports.ts";
import { withFaults } from "../support/faulty-stores.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";
import {
  type Bug,
  forgetWhileBusy,
  lateReclaims,
  leaseNeverWritten,
  leaseOverItsEnd,
  reclaimWithoutAttempt,
  reclaimWithoutEpoch,
  slowLeases,
} from "./lease-bugs.ts";

/** Long enough for the consequences of a bug. */
const DURATION_MS = 4_000;
/** A run continues until its bug has struck this many tasks, because some recover by chance. */
const STRUCK = 5;
const STRUCK_WITHIN_MS = 60_000;
/** A bucket with a bug may never come to rest. */
const QUIET_WITH_BUG_MS = 10_000;

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

async function problemsWith(
  wrapStores: (stores: Stores) => Stores,
  hasStruck: Promise<unknown>,
  quietMs?: number,
  workers = 2,
): Promise<Problem[]> {
  await using coordinator = await TestCoordinator.start({
    workers,
    settings: { history: 64, "retry.base_ms": 100, "retry.max_ms": 500, retention_seconds: 0 },
    wrapStores,
  });
  const urls = [coordinator.server.url];
  await using workload = await Workload.start({ urls, sessions: 10, seed: 1, openTasks: 12 });
  await Promise.race([workload.done, hasStruck]);
  await workload.end();
  const stuck = await stuckClaims(workload, quietMs);
  const entries = await untilTold(workload, urls, quietMs);
  return [...judge({ recording: workload.recording, entries }), ...stuck];
}

/** Runs until the bug has struck enough tasks. Asserts that a problem with this guarantee is found. */
async function assertFound(
  guarantee: string,
  plant: (struck: (taskId: string) => void) => (stores: Stores) => Stores,
  workers?: number,
): Promise<void> {
  const tasks = new Set<string>();
  const end = new AbortController();
  const from = performance.now();
  // A task that was struck long before the end may have been cancelled by then.
  const wrapStores = plant((taskId) => {
    const isEnough = tasks.add(taskId).size >= STRUCK;
    if (isEnough && performance.now() - from >= DURATION_MS) end.abort();
  });
  const signal = AbortSignal.any([end.signal, AbortSignal.timeout(STRUCK_WITHIN_MS)]);
  const hasStruck = once(signal, "abort");
  const problems = await problemsWith(wrapStores, hasStruck, QUIET_WITH_BUG_MS, workers);
  const found = new Set(problems.map((problem) => problem.guarantee));
  assert.ok(
    found.has(guarantee),
    `${tasks.size} tasks were struck; found ${[...found].join(", ")}`,
  );
}

describe("the verdict of a chaos run", () => {
  it("passes workers without a bug", async () => {
    assert.deepEqual(await problemsWith((stores) => stores, delay(DURATION_MS)), []);
  });

  it("passes workers that are slow", async () => {
    const wrapStores = (stores: Stores): Stores => lateReclaims(slowLeases(stores));
    assert.deepEqual(await problemsWith(wrapStores, delay(DURATION_MS)), []);
  });

  for (const [name, bug, guarantee] of [
    ["a claim without compare-and-set", claimWithoutCompareAndSet, "linearizable"],
    ["an acknowledgement before the write", acknowledgementBeforeTheWrite, "durable"],
    ["a reclaim without the check of the attempt", reclaimWithoutAttempt, "lease"],
    ["a reclaim without the check of the epoch", reclaimWithoutEpoch, "lease"],
    ["a lease that follows its own end", leaseOverItsEnd, "lease"],
    ["a lease that is never written", leaseNeverWritten, "returned"],
    ["a claim before the dependencies are complete", claimBeforeDependencies, "dependencies_first"],
    ["a dependent that is forgotten", dependentForgotten, "dependents_follow"],
  ] as const) {
    it(`finds ${name}`, async () => {
      await assertFound(guarantee, bug);
    });
  }

  it("finds a worker that forgets what happens while it is busy", async (test) => {
    await assertFound(
      "returned",
      (struck) => {
        forgetWhileBusy(test, struck);
        return slowLeases;
      },
      1,
    );
  });
});
