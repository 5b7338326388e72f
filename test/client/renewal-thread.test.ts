import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import type { Worker } from "node:worker_threads";
import { HeldWork } from "../support/held-work.ts";
import { Library } from "../support/library.ts";
import { NatsProxy } from "../support/nats-proxy.ts";
import { next } from "../support/next-requests.ts";
import { runModule } from "../support/run-module.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

const INDEX = JSON.stringify(new URL("../../src/index.js", import.meta.url));

/**
 * Does the task `a` in a separate process, which ends by itself. The handler blocks the event loop for
 * three TTLs. Returns the output of the process.
 */
function workBlocked(url: string, renewInThread: boolean): Promise<string> {
  return runModule(`
    const { Coordinator, EventBus } = await import(${INDEX});
    const logger = { debug() {}, warn: console.log, error: console.log };
    const bus = new EventBus({ backend: "nats", config: { servers: ["${url}"] }, logger });
    await bus.connect();
    const coordinator = new Coordinator(bus);
    const session = { session: "s1", ttlSeconds: 1, renewInThread: ${renewInThread} };
    const worker = coordinator.work(session, (_, { attempt, signal }) => {
      const end = Date.now() + 3_000;
      while (Date.now() < end) {}
      setTimeout(() => void coordinator.stop());
      return attempt;
    });
    await coordinator.run();
    await worker.done;
    await bus.disconnect();
    console.log("ended");
  `);
}

/** The next thread that this process starts. */
async function nextThread(): Promise<Worker> {
  const [thread] = (await once(process, "worker")) as [Worker];
  return thread;
}

/** Resolves when so many heartbeats have named the task. */
async function beats(coordinator: TestCoordinator, count: number): Promise<void> {
  let left = count;
  for await (const beat of coordinator.connection.subscribe("sessions.heartbeat.s1")) {
    if (beat.string().includes('"a"') && --left === 0) return;
  }
}

describe("work that blocks the event loop", () => {
  it("keeps its task with a thread that renews the lease", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    assert.equal(await workBlocked(coordinator.server.url, true), "ended\n");
    const { task } = await coordinator.ok("tasks.get.a");
    assert.deepEqual([task.status, task.result, task.failures], ["complete", 1, 0]);
  });

  it("loses its task without one", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    const expired = coordinator.fact("task_written", ({ event }) => event === "task_expired");
    const [output] = await Promise.all([workBlocked(coordinator.server.url, false), expired]);
    assert.match(output, /a \(attempt 1\) was not ended: .*\nended\n$/);
    const { task } = await coordinator.ok("tasks.get.a");
    assert.notEqual(task.result, 1);
  });
});

describe("a thread that renews leases", () => {
  it("reports lost leases, and ends with its worker", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    await using proxy = await NatsProxy.start(coordinator.server.port);
    await using library = await Library.connect(proxy);
    const work = new HeldWork();
    const started = nextThread();
    const options = { session: "s1", ttlSeconds: 1, renewInThread: true };
    const worker = library.coordinator.work(options, work.handler);
    const exited = once(await started, "exit");
    const held = await work.nth(1);
    proxy.cut();
    assert.equal((await held.aborted).code, "lease_lost");
    assert.match(await library.log.noted("warn", /heartbeat/), /the heartbeat of s1 failed/);
    held.finish();
    proxy.mend();
    (await work.nth(2)).finish("at the second attempt");
    await worker.stop();
    await exited;
    const { task } = await coordinator.ok("tasks.get.a");
    assert.deepEqual([task.result, task.attempt], ["at the second attempt", 2]);
  });

  it("gives back only the tasks that were handed out after the worker had stopped listening", async () => {
    await using coordinator = await TestCoordinator.start({ settings: { session_ttl_seconds: 1 } });
    for (const id of ["a", "b"]) await coordinator.ok(`tasks.create.${id}`);
    await using library = await Library.connect(coordinator);
    const work = new HeldWork();
    const options = { session: "s1", prefix: "a", ttlSeconds: 1, renewInThread: true };
    const worker = library.coordinator.work(options, work.handler);
    const held = await work.nth(1);
    await next(coordinator, "s1", { prefix: "b", ttl_seconds: 60 });
    const stopped = worker.stop();
    await coordinator.until("tasks.get.b", ({ task }) => task.status === "available");
    await beats(coordinator, 5);
    assert.equal(held.context.signal.aborted, false);
    held.finish();
    await stopped;
    assert.equal((await coordinator.ok("tasks.get.a")).task.status, "complete");
    assert.deepEqual((await coordinator.ok("sessions.list")).sessions, []);
  });

  for (const when of ["before it has begun", "while a task is held"]) {
    it(`that dies ${when} is replaced by the worker's own renewals`, async () => {
      await using coordinator = await TestCoordinator.start();
      await coordinator.ok("tasks.create.a");
      await using library = await Library.connect(coordinator);
      const work = new HeldWork();
      const started = nextThread();
      const options = { session: "s1", ttlSeconds: 1, renewInThread: true };
      const worker = library.coordinator.work(options, work.handler);
      const thread = await started;
      if (when === "while a task is held") await work.nth(1);
      void thread.terminate();
      const { context, finish } = await work.nth(1);
      await library.log.noted("error", /the thread that renews leases has ended/);
      await beats(coordinator, 6);
      assert.equal(context.signal.aborted, false);
      finish();
      await worker.stop();
      const { task } = await coordinator.ok("tasks.get.a");
      assert.deepEqual([task.status, task.attempt], ["complete", 1]);
    });
  }
});

describe("a process that uses the library", () => {
  it("ends by itself when everything is stopped, at once", async () => {
    await using coordinator = await TestCoordinator.start();
    for (const id of ["a", "b", "c"]) await coordinator.ok(`tasks.create.${id}`);
    const output = await runModule(`
      const { Coordinator, EventBus } = await import(${INDEX});
      const config = { servers: ["${coordinator.server.url}"] };
      const bus = new EventBus({ backend: "nats", config });
      await bus.connect();
      const coordinator = new Coordinator(bus);
      await coordinator.subscribeTaskUpdates(() => undefined, { since: "beginning" });
      const idle = coordinator.work({ session: "s1", prefix: "x" }, () => null);
      const begun = new Promise((resolve) => {
        coordinator.work({ session: "s2", prefix: "a", renewInThread: true }, (_, context) => {
          context.progress("just begun");
          resolve();
          return new Promise(() => undefined);
        });
      });
      await begun;
      for await (const claim of coordinator.claims({ session: "s3", prefix: "b" })) {
        claim.progress("nearly done");
        await claim.complete();
        break;
      }
      await coordinator.stop({ deadlineMs: 100 });
      await idle.stop();
      await coordinator.stop();
      await bus.disconnect();
      const stopped = performance.now();
      process.once("exit", () => console.log(performance.now() - stopped));
    `);
    const took = Number(output);
    assert.ok(took < 1_000, `it went on for ${took} ms`);
    const { tasks } = await coordinator.ok("tasks.stats");
    assert.deepEqual([tasks.available, tasks.complete], [2, 1]);
  });

  it("is neither kept alive nor changed by the import alone", async () => {
    const output = await runModule(`
      const state = () => JSON.stringify([
        Object.getOwnPropertyNames(globalThis),
        process.eventNames().map((name) => [String(name), process.listenerCount(name)]),
        process.getActiveResourcesInfo().filter((name) => /Time|TCP|Worker|Message/.test(name)),
      ]);
      const before = state();
      await import(${INDEX});
      console.log(state() === before);
    `);
    assert.equal(output, "true\n");
  });
});
