import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PermanentError, type TaskHandler } from "../../src/client/task-handler.ts";
import { HeldWork } from "../support/held-work.ts";
import { Library } from "../support/library.ts";
import { parked } from "../support/next-requests.ts";
import { errorOf } from "../support/stand-in.ts";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

/** Lets one worker do all tasks, and returns the record of the named task. */
async function workOff(
  coordinator: TestCoordinator,
  handler: TaskHandler,
  taskId: string,
): Promise<Json> {
  await using library = await Library.connect(coordinator);
  const options = { session: "s1", stopWhenIdle: true, waitSeconds: 0 };
  await library.coordinator.work(options, handler).done;
  return (await coordinator.ok(`tasks.get.${taskId}`)).task;
}

/** Anything can be thrown. */
function thrown(value: unknown): never {
  throw value as Error;
}

describe("what a handler returns or throws", () => {
  it("completes the task, also without a result", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.with", { payload: 20 });
    await coordinator.ok("tasks.create.without");
    const handler: TaskHandler = ({ task_id: id, payload }) =>
      id === "with" ? { doubled: (payload as number) * 2 } : undefined;
    const done = await workOff(coordinator, handler, "with");
    assert.deepEqual(
      [done.status, done.result, done.completed_by],
      ["complete", { doubled: 40 }, "s1"],
    );
    const { task } = await coordinator.ok("tasks.get.without");
    assert.deepEqual([task.status, task.result, task.attempt], ["complete", null, 1]);
  });

  it("fails the attempt with the error's name and message, and the task is tried again", async () => {
    await using coordinator = await TestCoordinator.start({ settings: { "retry.base_ms": 10 } });
    await coordinator.ok("tasks.create.a", { max_failures: 3 });
    await using library = await Library.connect(coordinator);
    const attempts: number[] = [];
    const tokens: number[] = [];
    const worker = library.coordinator.work({ session: "s1" }, (_, { attempt, fencingToken }) => {
      tokens.push(fencingToken);
      if (attempts.push(attempt) < 3) throw new RangeError(`too much of ${attempt}`);
      return "third time lucky";
    });
    await coordinator.until("tasks.get.a", ({ task }) => task.status === "complete");
    await worker.stop();
    assert.deepEqual(attempts, [1, 2, 3]);
    assert.deepEqual(tokens, [1, 3, 5]);
    const { entries } = await coordinator.ok("tasks.history.a");
    const failed = entries.filter(
      (entry: Json) => entry.task.last_event.type === "task_attempt_failed",
    );
    assert.deepEqual(
      failed.map((entry: Json) => entry.task.error),
      [1, 2].map((attempt) => ({ name: "RangeError", message: `too much of ${attempt}` })),
    );
  });

  it("fails the task for good if it is a PermanentError, or the last allowed failure", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.hopeless", { max_failures: 5 });
    await coordinator.ok("tasks.create.once", { max_failures: 1 });
    const handler: TaskHandler = ({ task_id: id }) =>
      thrown(id === "once" ? { code: 7 } : new PermanentError("no such page"));
    const hopeless = await workOff(coordinator, handler, "hopeless");
    assert.deepEqual([hopeless.status, hopeless.failures], ["failed", 1]);
    assert.deepEqual(hopeless.error, { name: "PermanentError", message: "no such page" });
    const { task: once } = await coordinator.ok("tasks.get.once");
    assert.deepEqual([once.status, once.error], ["failed", { code: 7 }]);
  });

  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  const unfit: Record<string, { value: unknown; problem: RegExp }> = {
    "big-int": { value: { size: 1n }, problem: /result: .*JSON.*BigInt/ },
    cycle: { value: cycle, problem: /result: .*JSON.*circular/ },
    function: { value: () => 1, problem: /result: .*JSON/ },
    "larger-than-a-record": { value: "x".repeat(70_000), problem: /65536/ },
    "larger-than-a-message": { value: "x".repeat(1_100_000), problem: /1048576/ },
  };

  it("fails the attempt if it cannot be stored, and says why", async () => {
    await using coordinator = await TestCoordinator.start();
    for (const id of Object.keys(unfit)) {
      await coordinator.ok(`tasks.create.returned.${id}`, { max_failures: 1 });
      await coordinator.ok(`tasks.create.thrown.${id}`, { max_failures: 1 });
    }
    const handler: TaskHandler = ({ task_id: id }) => {
      const [, how, what = ""] = /^(\w+)\.(.*)/.exec(id) ?? [];
      if (how === "returned") return unfit[what]?.value;
      return thrown(unfit[what]?.value);
    };
    await workOff(coordinator, handler, "returned.cycle");
    for (const [id, { problem }] of Object.entries(unfit)) {
      const { task: returned } = await coordinator.ok(`tasks.get.returned.${id}`);
      assert.deepEqual([returned.status, returned.error?.name], ["failed", "TaskError"]);
      assert.match(returned.error.message as string, problem);
      const { task: thrown } = await coordinator.ok(`tasks.get.thrown.${id}`);
      assert.equal(thrown.status, "failed");
      assert.match(thrown.error.message as string, /what was thrown cannot be stored/);
    }
  });
});

describe("a worker", () => {
  it("handles `concurrency` tasks at a time, and asks for as many as it has room for", async () => {
    await using coordinator = await TestCoordinator.start();
    const requests: Json[] = [];
    coordinator.connection.subscribe("tasks.next", {
      callback: (_, message) => {
        requests.push(message.json());
      },
    });
    await coordinator.connection.flush();
    for (let i = 1; i <= 7; i++) await coordinator.ok(`tasks.create.t${i}`);
    await using library = await Library.connect(coordinator);
    const work = new HeldWork();
    const worker = library.coordinator.work({ session: "s1", concurrency: 3 }, work.handler);
    const third = await work.nth(3);
    assert.deepEqual(
      requests.map(({ max }) => max),
      [3],
    );
    third.finish();
    await work.nth(4);
    work.begun[0]?.finish();
    work.begun[1]?.finish();
    await work.nth(6);
    for (const held of work.begun) held.finish();
    (await work.nth(7)).finish();
    // A request that it has given up for one with more room may still be parked.
    await coordinator.until("tasks.stats", ({ worker: { waiting } }) => waiting >= 1);
    assert.equal(work.peak, 3);
    assert.equal(work.begun.length, 7);
    // While it waits, another task fills the remaining room.
    await coordinator.ok("tasks.create.late");
    (await work.nth(8)).finish();
    await worker.stop();
    assert.ok(requests.every(({ max }) => max >= 1 && max <= 3));
    const { tasks } = await coordinator.ok("tasks.stats");
    assert.equal(tasks.complete, 8);
  });

  it("takes only what its capabilities, tags and prefix allow", async () => {
    await using coordinator = await TestCoordinator.start();
    const requires = ["gpu"];
    await coordinator.ok("tasks.create.P1.good", { requires, tags: ["night", "docs"] });
    await coordinator.ok("tasks.create.P1.untagged", { requires });
    await coordinator.ok("tasks.create.P1.needs-more", {
      requires: ["gpu", "tpu"],
      tags: ["night"],
    });
    await coordinator.ok("tasks.create.P2.elsewhere", { requires, tags: ["night"] });
    await using library = await Library.connect(coordinator);
    const taken: string[] = [];
    const options = { session: "s1", capabilities: ["gpu"], tags: ["night"], prefix: "P1." };
    const idle = { stopWhenIdle: true, waitSeconds: 0 };
    await library.coordinator.work({ ...options, ...idle }, ({ task_id: id }) => taken.push(id))
      .done;
    assert.deepEqual(taken, ["P1.good"]);
  });

  it("is listed as a session with its tasks, until it is stopped", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    await coordinator.ok("tasks.create.b");
    await using library = await Library.connect(coordinator);
    const work = new HeldWork();
    const options = {
      session: "s1",
      capabilities: ["gpu"],
      metadata: { model: "x" },
      concurrency: 2,
    };
    const worker = library.coordinator.work(options, work.handler);
    await work.nth(2);
    const listed = await coordinator.until(
      "sessions.list",
      ({ sessions }) => sessions[0]?.claims === 2,
    );
    const { session_id, capabilities, metadata } = listed.sessions[0];
    assert.deepEqual([session_id, capabilities, metadata], ["s1", ["gpu"], { model: "x" }]);
    work.finishAll();
    await worker.stop();
    assert.deepEqual((await coordinator.ok("sessions.list")).sessions, []);
    assert.deepEqual(library.complaints, []);
  });

  it("ends by itself with stopWhenIdle when there is nothing to do, and not before", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    await coordinator.ok("tasks.create.b", { depends_on: ["a"] });
    await using library = await Library.connect(coordinator);
    const work = new HeldWork();
    const options = { session: "s1", stopWhenIdle: true, waitSeconds: 0, concurrency: 2 };
    const worker = library.coordinator.work(options, work.handler);
    // It has room for another task, and there is none. It is not idle, because one is under way.
    const first = await work.nth(1);
    const heard = library.log.lines.length;
    await library.log.noted("debug", /tasks.next/, heard);
    first.finish();
    (await work.nth(2)).finish("done");
    await worker.done;
    assert.deepEqual(
      work.begun.map(({ id }) => id),
      ["a", "b"],
    );
    assert.deepEqual((await coordinator.ok("sessions.list")).sessions, []);
  });

  it("does not take the stop of a coordinator for a lack of tasks", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 0 });
    const first = await coordinator.addWorkers(1);
    await using library = await Library.connect(coordinator);
    const work = new HeldWork();
    const options = { session: "s1", stopWhenIdle: true, waitSeconds: 20 };
    const worker = library.coordinator.work(options, work.handler);
    await parked(coordinator, 1);
    await coordinator.addWorkers(1);
    // It answers parked requests with no task.
    await first.stop();
    await coordinator.ok("tasks.create.a");
    (await work.nth(1)).finish();
    await coordinator.until("tasks.get.a", ({ task }) => task.status === "complete");
    await worker.stop();
  });

  it("pauses between requests, even with the shortest wait", async () => {
    await using coordinator = await TestCoordinator.start();
    await using library = await Library.connect(coordinator);
    const worker = library.coordinator.work({ session: "s1", waitSeconds: 0 }, () => null);
    const since = library.log.lines.length;
    await new Promise((resolve) => setTimeout(resolve, 500));
    await worker.stop();
    const asked = library.log.lines
      .slice(since)
      .filter(({ message }) => /^tasks.next /.test(message));
    assert.ok(asked.length >= 1 && asked.length <= 6, `${asked.length} requests`);
  });

  it("refuses invalid options at once", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 0 });
    await using library = await Library.connect(coordinator);
    const refused: [object, string][] = [
      [{ session: "" }, "session"],
      [{ session: "s1", concurrency: 0 }, "concurrency"],
      [{ session: "s1", concurrency: 1.5 }, "concurrency"],
      [{ session: "s1", waitSeconds: -1 }, "waitSeconds"],
      [{ session: "s1", waitSeconds: Number.NaN }, "waitSeconds"],
    ];
    for (const [options, field] of refused) {
      const start = async (): Promise<unknown> => {
        await Promise.resolve();
        return library.coordinator.work(options, () => null);
      };
      const { details } = await errorOf(start(), "invalid_request");
      assert.equal(details.field, field);
    }
  });
});
