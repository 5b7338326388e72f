/** Two processes that use the same session. Each Library stands for one process. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HeldWork } from "../support/held-work.ts";
import { Library } from "../support/library.ts";
import { NatsProxy } from "../support/nats-proxy.ts";
import { errorOf } from "../support/stand-in.ts";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

const OPTIONS = { session: "host-1", ttlSeconds: 300 };

describe("a worker that restarts with its own id", () => {
  it("gets at once the tasks that it held when it crashed", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 2 });
    await using proxy = await NatsProxy.start(coordinator.server.port);
    await coordinator.ok("tasks.create.a");
    await using crashed = await Library.connect({ url: proxy.url });
    const before = new HeldWork();
    const dead = crashed.coordinator.work(OPTIONS, before.handler);
    const held = await before.nth(1);
    proxy.cut();

    await using library = await Library.connect(coordinator);
    const work = new HeldWork();
    const worker = library.coordinator.work(OPTIONS, work.handler);
    const { task, context } = await work.nth(1);
    assert.deepEqual([task.task_id, context.attempt, task.failures], ["a", 2, 0]);
    assert.equal(context.session, "host-1");

    // If the old process was only asleep, its request is refused.
    proxy.mend();
    await errorOf(dead.done, "session_replaced");
    assert.equal((await held.aborted).code, "lease_lost");
    work.finishAll();
    await worker.stop();
    const { completed_by, attempt } = (await coordinator.ok("tasks.get.a")).task;
    assert.deepEqual([completed_by, attempt], ["host-1", 2]);
  });
});

describe("of two live processes that use the same session", () => {
  for (const renewInThread of [false, true]) {
    const how = renewInThread ? ", also if it renews in a thread" : "";
    it(`the older one stops at once, and its tasks go to the newer one${how}`, async () => {
      await using coordinator = await TestCoordinator.start();
      await coordinator.ok("tasks.create.a");
      await using older = await Library.connect(coordinator);
      const before = new HeldWork();
      const options = { ...OPTIONS, renewInThread };
      const first = older.coordinator.work(options, before.handler);
      const held = await before.nth(1);
      await using newer = await Library.connect(coordinator);
      const work = new HeldWork();
      const second = newer.coordinator.work(OPTIONS, work.handler);
      assert.equal((await held.aborted).code, "lease_lost");
      // It does not wait for its handler, which may ignore the signal.
      const { message } = await errorOf(first.done, "session_replaced");
      assert.match(message, /registered by another instance/);
      held.finish("too late");
      const { context, finish } = await work.nth(1);
      assert.equal(context.attempt, 2);
      finish("done");
      const { task } = await coordinator.until("tasks.get.a", ({ task: { status } }: Json) => {
        return status === "complete";
      });
      assert.equal(task.result, "done");
      // It does not register again, and does not end the session of the other process.
      await errorOf(older.coordinator.work(OPTIONS, () => null).done, "session_replaced");
      await coordinator.ok("tasks.create.b");
      assert.equal((await work.nth(2)).id, "b");
      work.finishAll();
      await second.stop();
    });
  }

  it("the older one stops when it asks for its next task", async () => {
    await using coordinator = await TestCoordinator.start();
    await using older = await Library.connect(coordinator);
    const options = { session: "host-1", waitSeconds: 0.2 };
    const first = older.coordinator.work(options, () => null);
    await coordinator.until("sessions.list", ({ sessions }: Json) => sessions.length === 1);
    await using newer = await Library.connect(coordinator);
    const second = newer.coordinator.work(options, () => null);
    await errorOf(first.done, "session_replaced");
    await second.stop();
  });

  it("a loop over claims rejects, at any moment", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    await using older = await Library.connect(coordinator);
    const claims = older.coordinator.claims(OPTIONS);
    const { value: claim } = await claims.next();
    assert.ok(claim !== undefined);
    const lost = new Promise((resolve) => {
      claim.signal.addEventListener("abort", resolve);
    });
    await using newer = await Library.connect(coordinator);
    const work = new HeldWork();
    newer.coordinator.work(OPTIONS, work.handler);
    await lost;
    await claim.release();
    await errorOf(claims.next(), "session_replaced");
    assert.equal((await work.nth(1)).context.attempt, 2);
  });

  it("only one gets a task by claimTask", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    await using one = await Library.connect(coordinator);
    await using other = await Library.connect(coordinator);
    assert.equal(await one.coordinator.claimTask("a", "session-1"), true);
    assert.equal(await other.coordinator.claimTask("a", "session-1"), false);
    assert.equal(await one.coordinator.claimTask("a", "session-1"), true);
    assert.equal(await one.coordinator.releaseTask("a", "session-1", "complete"), true);
  });
});

describe("a worker that is given no session", () => {
  it("has its own session, whose id says where it runs", async () => {
    await using coordinator = await TestCoordinator.start();
    await using library = await Library.connect(coordinator);
    const workers = [1, 2].map(() => library.coordinator.work({}, () => null));
    const { sessions } = await coordinator.until("sessions.list", (reply: Json) => {
      return reply.sessions.length === 2;
    });
    assert.deepEqual(
      sessions.map(({ session_id }: Json) => session_id),
      workers.map(({ session }) => session).sort(),
    );
    for (const { session } of workers) {
      assert.match(session, new RegExp(`^([A-Za-z0-9-]+-)?${process.pid}-[0-9a-f]{8}$`));
    }
  });
});

describe("a session that is in use in the same coordinator", () => {
  it("is refused to another worker, until the first one has ended", async () => {
    await using coordinator = await TestCoordinator.start();
    await using library = await Library.connect(coordinator);
    const { coordinator: here } = library;
    const first = here.work(OPTIONS, () => null);
    const again = (): unknown => here.work(OPTIONS, () => null);
    assert.throws(again, /^TaskError: session: host-1 is in use here/);
    await errorOf(here.claims(OPTIONS).next(), "invalid_request");
    await first.stop();
    await here.work(OPTIONS, () => null).stop();
  });
});
