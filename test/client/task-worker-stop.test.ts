import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { TaskClient } from "../../src/client/task-client.ts";
import { TaskWorker } from "../../src/client/task-worker.ts";
import { HeldWork } from "../support/held-work.ts";
import { Library } from "../support/library.ts";
import { next, parked } from "../support/next-requests.ts";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

/** Shorter than any deadline and TTL that could otherwise end the wait. */
const AT_ONCE_MS = 4_000;

async function isAtOnce<T>(what: Promise<T>): Promise<T> {
  const began = performance.now();
  const result = await what;
  const took = performance.now() - began;
  assert.ok(took < AT_ONCE_MS, `it took ${took} ms`);
  return result;
}

describe("stopping a worker", () => {
  it("takes no more tasks and waits for its handlers", async () => {
    await using coordinator = await TestCoordinator.start();
    for (const id of ["a", "b", "c"]) await coordinator.ok(`tasks.create.${id}`);
    await using library = await Library.connect(coordinator);
    const work = new HeldWork();
    const worker = library.coordinator.work({ session: "s1", concurrency: 2 }, work.handler);
    const second = await work.nth(2);
    let isStopped = false;
    const stopped = worker.stop().then(() => {
      isStopped = true;
    });
    second.finish();
    await coordinator.until(`tasks.get.${second.id}`, ({ task }) => task.status === "complete");
    assert.equal(isStopped, false);
    assert.equal(second.context.signal.aborted, false);
    work.finishAll();
    await stopped;
    await worker.done;
    const { tasks } = await coordinator.ok("tasks.stats");
    assert.deepEqual([tasks.complete, tasks.available, work.begun.length], [2, 1, 2]);
    assert.deepEqual(library.complaints, []);
  });

  it("gives back the tasks that are not done by the deadline, without a failure", async () => {
    await using coordinator = await TestCoordinator.start();
    for (const id of ["a", "b"]) await coordinator.ok(`tasks.create.${id}`);
    await using library = await Library.connect(coordinator);
    const work = new HeldWork();
    // Both with room for more tasks, and without.
    const worker = library.coordinator.work({ session: "s1", prefix: "a" }, work.handler);
    const roomy = library.coordinator.work(
      { session: "s2", prefix: "b", concurrency: 2 },
      work.handler,
    );
    const second = await work.nth(2);
    await isAtOnce(Promise.all([worker.stop({ deadlineMs: 50 }), roomy.stop({ deadlineMs: 50 })]));
    assert.equal((await second.aborted).code, "not_available");
    for (const id of ["a", "b"]) {
      const isBack = ({ task }: Json): boolean => task.status === "available";
      const { task } = await isAtOnce(coordinator.until(`tasks.get.${id}`, isBack));
      assert.deepEqual([task.failures, task.last_event.type], [0, "task_released"]);
    }
    // The results of the handlers no longer count, and change nothing.
    const { claims } = await next(coordinator, "s3", { max: 2 });
    work.finishAll();
    await coordinator.ok("tasks.renew.a", { session_id: "s3", attempt: claims[0].attempt });
    assert.deepEqual((await coordinator.ok("sessions.list")).sessions, []);
  });

  it("with a deadline of 0 gives everything back, also a task that a handler ends just then", async () => {
    await using coordinator = await TestCoordinator.start();
    for (const id of ["kept", "thrown", "done"]) await coordinator.ok(`tasks.create.${id}`);
    await using library = await Library.connect(coordinator);
    const work = new HeldWork();
    const worker = library.coordinator.work({ session: "s1", concurrency: 3 }, work.handler);
    await work.nth(3);
    // Sending the result takes longer than ending the session.
    const { link } = library.bus;
    const request = link.request.bind(link);
    link.request = async (subject, ...rest) => {
      if (subject === "tasks.release.done") await delay(200);
      return request(subject, ...rest);
    };
    for (const { id, aborted, finish, fail } of work.begun) {
      void aborted.then((reason) => {
        if (id === "thrown") fail(reason);
      });
      if (id === "done") finish("in time");
    }
    await isAtOnce(worker.stop({ deadlineMs: 0 }));
    const statuses = ["kept", "thrown", "done"].map(async (id) => {
      const { task } = await coordinator.ok(`tasks.get.${id}`);
      return `${id} ${task.status} ${task.failures}`;
    });
    assert.deepEqual(await Promise.all(statuses), [
      "kept available 0",
      "thrown available 0",
      "done complete 0",
    ]);
  });

  it("can be requested again: the earliest deadline counts", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    await using library = await Library.connect(coordinator);
    const work = new HeldWork();
    const worker = library.coordinator.work({ session: "s1" }, work.handler);
    await work.nth(1);
    const patient = worker.stop({ deadlineMs: 60_000 });
    const hasty = worker.stop({ deadlineMs: 20 });
    await isAtOnce(Promise.all([patient, hasty, worker.stop()]));
    await worker.stop({ deadlineMs: 0 });
    const { task } = await coordinator.ok("tasks.get.a");
    assert.equal(task.status, "available");
  });

  it("leaves nothing behind while it waits for a task", async () => {
    await using coordinator = await TestCoordinator.start();
    await using library = await Library.connect(coordinator);
    const work = new HeldWork();
    for (let i = 1; i <= 5; i++) {
      const worker = library.coordinator.work({ session: "s1" }, work.handler);
      await parked(coordinator, 1);
      // The parked request stays at the coordinator, which does not know that the client has left.
      const stopped = worker.stop();
      const id = `t${i}`;
      await coordinator.ok(`tasks.create.${id}`);
      await isAtOnce(stopped);
      await isAtOnce(
        coordinator.until(`tasks.get.${id}`, ({ task }) => task.status === "available"),
      );
      const { claims } = await next(coordinator, "other", { wait_seconds: 5 });
      assert.equal(claims[0].task.task_id, id);
      assert.equal(claims[0].task.failures, 0);
    }
    assert.equal(work.begun.length, 0);
    assert.deepEqual((await coordinator.ok("sessions.list")).sessions, []);
  });

  it("gives back tasks that were handed out after it stopped listening, before its handlers are done", async () => {
    await using coordinator = await TestCoordinator.start();
    for (const id of ["a", "b"]) await coordinator.ok(`tasks.create.${id}`);
    await using library = await Library.connect(coordinator);
    const work = new HeldWork();
    const worker = library.coordinator.work(
      { session: "s1", prefix: "a", concurrency: 2 },
      work.handler,
    );
    await work.nth(1);
    // As if the worker had been stopped while the answer was on its way.
    await next(coordinator, "s1", { prefix: "b" });
    const stopped = worker.stop();
    const { task } = await coordinator.until(
      "tasks.get.b",
      (got) => got.task.status === "available",
    );
    assert.equal(task.failures, 0);
    assert.equal((await coordinator.ok("tasks.get.a")).task.status, "claimed");
    work.finishAll();
    await stopped;
    assert.equal((await coordinator.ok("tasks.get.a")).task.status, "complete");
  });

  it("does not begin a task that was handed out at that moment", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    await using library = await Library.connect(coordinator);
    class StoppingClient extends TaskClient {
      override async next(
        ...request: Parameters<TaskClient["next"]>
      ): ReturnType<TaskClient["next"]> {
        const answer = await super.next(...request);
        void worker.stop();
        return answer;
      }
    }
    const { bus, log: logger } = library;
    const work = new HeldWork();
    const tasks = new StoppingClient(bus.link, { logger });
    const worker = new TaskWorker({ session: "s1" }, work.handler, {
      link: bus.link,
      tasks,
      logger,
      instance: "i1",
      sessions: new Set(),
    });
    await isAtOnce(worker.done);
    assert.equal(work.begun.length, 0);
    const { task } = await coordinator.ok("tasks.get.a");
    assert.deepEqual([task.status, task.attempt, task.failures], ["available", 1, 0]);
  });

  it("while it registers leaves no lasting session, with or without a coordinator", async () => {
    await using coordinator = await TestCoordinator.start({
      workers: 0,
      settings: { session_ttl_seconds: 5 },
    });
    await using library = await Library.connect(coordinator);
    const early = library.coordinator.work({ session: "s1" }, () => null);
    await library.log.noted("warn", /no coordinator is running/);
    await isAtOnce(early.stop());
    await coordinator.addWorkers(2);
    for (let i = 1; i <= 20; i++) {
      const since = library.log.lines.length;
      const worker = library.coordinator.work({ session: `s${i}` }, () => null);
      await library.log.noted("debug", /sessions.register/, since);
      await isAtOnce(worker.stop());
    }
    // Another worker of the coordinator may register it after its end. Then it holds nothing, and expires.
    await coordinator.until("sessions.list", ({ sessions }) => sessions.length === 0);
  });

  it("is part of the coordinator's stop, after which run resolves", async () => {
    await using coordinator = await TestCoordinator.start();
    for (const id of ["a", "b"]) await coordinator.ok(`tasks.create.${id}`);
    await using library = await Library.connect(coordinator);
    const work = new HeldWork();
    const first = library.coordinator.work({ session: "s1" }, work.handler);
    const second = library.coordinator.work({ session: "s2" }, work.handler);
    await work.nth(2);
    const run = library.coordinator.run();
    await isAtOnce(library.coordinator.stop({ deadlineMs: 20 }));
    await Promise.all([first.done, second.done, run]);
    const { tasks } = await coordinator.ok("tasks.stats");
    assert.equal(tasks.available, 2);
    // It can begin again.
    const again = library.coordinator.work({ session: "s1" }, work.handler);
    (await work.nth(3)).finish();
    await again.stop();
  });
});
