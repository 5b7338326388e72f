/** Giving a task back from a handler or a loop, with a delay. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ReleaseError } from "../../src/client/task-handler.ts";
import type { TaskHandler } from "../../src/client/task-handler.ts";
import { Library } from "../support/library.ts";
import { errorOf } from "../support/stand-in.ts";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

const IDLE = { session: "s1", stopWhenIdle: true, waitSeconds: 0 } as const;

/** The record of a task after a worker has run until there was nothing to do. */
async function afterWork(service: TestCoordinator, handler: TaskHandler): Promise<Json> {
  await using library = await Library.connect(service);
  await service.ok("tasks.create.a", { max_failures: 1 });
  await library.coordinator.work(IDLE, handler).done;
  return (await service.ok("tasks.get.a")).task;
}

describe("a handler that throws a ReleaseError", () => {
  it("gives the task back, and no session gets it before the delay has passed", async () => {
    await using service = await TestCoordinator.start();
    let runs = 0;
    const task = await afterWork(service, () => {
      runs++;
      throw new ReleaseError("the quota is exhausted", { delaySeconds: 3600 });
    });
    assert.deepEqual([runs, task.attempt, task.status, task.failures], [1, 1, "available", 0]);
    const { type, reason, timestamp } = task.last_event;
    assert.deepEqual([type, reason], ["task_released", "the quota is exhausted"]);
    assert.ok(Date.parse(task.not_before) - Date.parse(timestamp) > 3_500_000);
  });

  it("gets the task again when the delay has passed", async () => {
    await using service = await TestCoordinator.start();
    await using library = await Library.connect(service);
    await service.ok("tasks.create.a");
    const worker = library.coordinator.work({ session: "s1" }, (_task, { attempt }) => {
      if (attempt === 1) throw new ReleaseError("", { resumeAt: new Date(Date.now() + 300) });
      return attempt;
    });
    const { task } = await service.until(
      "tasks.get.a",
      (reply) => reply.task.status === "complete",
    );
    await worker.stop();
    const { entries } = await service.ok("tasks.history.a");
    const released = entries[2].task;
    assert.deepEqual(
      [released.last_event.type, released.last_event.reason],
      ["task_released", null],
    );
    assert.ok(entries[3].task.claimed_at >= released.not_before);
    assert.deepEqual([task.result, task.failures], [2, 0]);
  });

  it("has failed if its options are refused, and the error says why", async () => {
    await using service = await TestCoordinator.start();
    const task = await afterWork(service, () => {
      throw new ReleaseError("later", { delaySeconds: 1e9 });
    });
    assert.equal(task.status, "failed");
    assert.match(task.error.message, /delay_seconds: must be between 0 and 2592000/);
  });

  it("may have a message of any length", async () => {
    await using service = await TestCoordinator.start();
    const task = await afterWork(service, () => {
      throw new ReleaseError("x".repeat(5_000), { delaySeconds: 60 });
    });
    assert.equal(task.last_event.reason, "x".repeat(1_024));
  });
});

describe("a claim that is released with a delay", () => {
  it("does not come again in the same loop", async () => {
    await using service = await TestCoordinator.start();
    await using library = await Library.connect(service);
    await service.ok("tasks.create.a");
    const attempts: number[] = [];
    for await (const claim of library.coordinator.claims(IDLE)) {
      attempts.push(claim.attempt);
      await claim.release({ delaySeconds: 60, cause: "not now" });
    }
    assert.deepEqual(attempts, [1]);
    const { task } = await service.ok("tasks.get.a");
    assert.equal(task.last_event.reason, "not now");
  });

  it("is still held if the client or the coordinator refuses its options", async () => {
    await using service = await TestCoordinator.start();
    await using library = await Library.connect(service);
    await service.ok("tasks.create.a");
    for await (const claim of library.coordinator.claims(IDLE)) {
      const wrong = [
        { resumeAt: new Date(NaN) },
        { resumeAt: "tomorrow" },
        { delaySeconds: -1 },
        { delay: 1 } as object,
      ];
      for (const options of wrong) {
        await errorOf(claim.release(options), "invalid_request");
        assert.equal(claim.isOver, false);
      }
      await claim.complete();
    }
    const { task } = await service.ok("tasks.get.a");
    assert.equal(task.status, "complete");
  });
});
