import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readHistory } from "../../src/nats/read-history.ts";
import { HeldWork } from "../support/held-work.ts";
import { Library } from "../support/library.ts";
import { NatsProxy } from "../support/nats-proxy.ts";
import { next } from "../support/next-requests.ts";
import { errorOf } from "../support/stand-in.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

/** The requests about a task from now on, from any session. */
async function requestsAbout(coordinator: TestCoordinator, taskId: string): Promise<string[]> {
  const seen: string[] = [];
  coordinator.connection.subscribe(`tasks.*.${taskId}`, {
    callback: (_, { subject }) => {
      seen.push(subject);
    },
  });
  await coordinator.connection.flush();
  return seen;
}

describe("a worker whose task is taken away", () => {
  const ways: Record<string, readonly [string, object]> = {
    "requeued by an operator": ["tasks.requeue.a", { reason: "stuck" }],
    "cancelled with force": ["tasks.cancel.a", { force: true }],
  };
  for (const [what, [subject, body]] of Object.entries(ways)) {
    it(`is notified at once when it is ${what}, and sends nothing more for it`, async () => {
      await using coordinator = await TestCoordinator.start();
      await coordinator.ok("tasks.create.a");
      await using library = await Library.connect(coordinator);
      const work = new HeldWork();
      // With this TTL, the next heartbeat is far away.
      const worker = library.coordinator.work({ session: "s1", ttlSeconds: 300 }, work.handler);
      const held = await work.nth(1);
      const seen = await requestsAbout(coordinator, "a");
      const stopped = worker.stop();
      await coordinator.ok(subject, body);
      const reason = await held.aborted;
      assert.equal(reason.code, "lease_lost");
      assert.match(reason.message, /the claim of a \(attempt 1\) is lost/);
      held.context.progress("still at it");
      held.finish("too late");
      await stopped;
      assert.deepEqual(seen, [subject]);
      assert.equal((await coordinator.ok("tasks.get.a")).task.result, null);
    });
  }

  it("does not disturb the next holder", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    await using library = await Library.connect(coordinator);
    const work = new HeldWork();
    const worker = library.coordinator.work({ session: "s1", ttlSeconds: 1 }, work.handler);
    const held = await work.nth(1);
    await coordinator.ok("tasks.requeue.a");
    const { claims } = await next(coordinator, "s2", { ttl_seconds: 60, wait_seconds: 5 });
    assert.equal(claims[0].attempt, 2);
    await held.aborted;
    held.fail(new Error("interrupted"));
    await worker.stop();
    await coordinator.ok("tasks.release.a", { session_id: "s2", attempt: 2, status: "complete" });
    const { task } = await coordinator.ok("tasks.get.a");
    assert.deepEqual([task.completed_by, task.failures], ["s2", 0]);
  });

  it("is asked to stop when the task is cancelled, and still decides how the claim ends", async () => {
    await using coordinator = await TestCoordinator.start();
    for (const id of ["thrown", "returned", "unfit"]) await coordinator.ok(`tasks.create.${id}`);
    await using library = await Library.connect(coordinator);
    const work = new HeldWork();
    const worker = library.coordinator.work({ session: "s1", concurrency: 3 }, work.handler);
    await work.nth(3);
    for (const { id, aborted, finish, fail } of work.begun) {
      await coordinator.ok(`tasks.cancel.${id}`);
      assert.equal((await aborted).code, "not_available");
      if (id === "thrown") fail(new Error("stopped"));
      else finish(id === "returned" ? "almost there anyway" : 1n);
    }
    await worker.stop();
    const thrown = (await coordinator.ok("tasks.get.thrown")).task;
    assert.deepEqual([thrown.status, thrown.failures], ["cancelled", 0]);
    const returned = (await coordinator.ok("tasks.get.returned")).task;
    assert.deepEqual([returned.status, returned.result], ["complete", "almost there anyway"]);
    assert.equal((await coordinator.ok("tasks.get.unfit")).task.status, "cancelled");
  });
});

describe("a worker that is cut off", () => {
  it("stops by its own clock, and takes tasks again when it is back", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    await using proxy = await NatsProxy.start(coordinator.server.port);
    await using library = await Library.connect(proxy);
    const work = new HeldWork();
    const worker = library.coordinator.work({ session: "s1", ttlSeconds: 1 }, work.handler);
    const held = await work.nth(1);
    proxy.cut();
    assert.equal((await held.aborted).code, "lease_lost");
    const { claims } = await next(coordinator, "s2", { ttl_seconds: 60, wait_seconds: 10 });
    assert.deepEqual([claims[0].task.task_id, claims[0].attempt], ["a", 2]);
    held.finish("too late");
    proxy.mend();
    await coordinator.ok("tasks.create.b");
    (await work.nth(2)).finish();
    await coordinator.until("tasks.get.b", ({ task }) => task.status === "complete");
    await worker.stop();
    assert.equal((await coordinator.ok("tasks.get.a")).task.claimed_by, "s2");
  });

  it("keeps a result until it can report it", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    await using proxy = await NatsProxy.start(coordinator.server.port);
    await using library = await Library.connect(proxy);
    const work = new HeldWork();
    const worker = library.coordinator.work({ session: "s1", ttlSeconds: 30 }, work.handler);
    const held = await work.nth(1);
    proxy.cut();
    held.finish("in time");
    const stopped = worker.stop();
    await library.log.noted("debug", /tasks.release.a/);
    proxy.mend();
    await stopped;
    const { task } = await coordinator.ok("tasks.get.a");
    assert.deepEqual([task.status, task.result, task.attempt], ["complete", "in time", 1]);
  });
});

describe("a worker and a server that is killed", () => {
  it("completes every task once, also the ones under way", async () => {
    await using coordinator = await TestCoordinator.start();
    const ids = Array.from({ length: 12 }, (_, i) => `t${i + 1}`);
    for (const id of ids) await coordinator.ok(`tasks.create.${id}`);
    await using library = await Library.connect(coordinator);
    const work = new HeldWork();
    const worker = library.coordinator.work({ session: "s1", concurrency: 4 }, work.handler);
    await work.nth(4);
    await coordinator.server.kill();
    work.begun[0]?.finish("while it was down");
    work.begun[1]?.fail(new Error("while it was down"));
    await library.log.noted("debug", /tasks.release/);
    await coordinator.server.restart();
    // Tasks that start from now on end at once.
    for (let count = 3; count <= ids.length + 1; count++) (await work.nth(count)).finish(count);
    await worker.stop();
    const history = await readHistory(coordinator.connection);
    for (const id of ids) {
      const events = history
        .filter(({ taskId }) => taskId === id)
        .map(({ task }) => task?.lastEvent?.type);
      const twice = work.begun[1]?.id === id ? ["task_attempt_failed", "task_claimed"] : [];
      assert.deepEqual(events, ["task_created", "task_claimed", ...twice, "task_completed"], id);
    }
  });
});

describe("a worker and a coordinator", () => {
  it("that does not run yet: it says so and begins when one runs", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 0 });
    await using library = await Library.connect(coordinator);
    const work = new HeldWork();
    const worker = library.coordinator.work({ session: "s1" }, work.handler);
    await library.log.noted("warn", /no coordinator is running/);
    await coordinator.addWorkers(1);
    await coordinator.ok("tasks.create.a");
    (await work.nth(1)).finish();
    await worker.stop();
    assert.equal((await coordinator.ok("tasks.get.a")).task.status, "complete");
  });

  it("that refuses its request: it ends, says why, and waits for its handlers", async () => {
    await using coordinator = await TestCoordinator.start();
    await using library = await Library.connect(coordinator);
    const options = [
      { session: "s1", capabilities: [""] },
      { session: "s2", prefix: "x".repeat(10_000) },
      { session: "s3", ttlSeconds: 0 },
      { session: "not a session" },
    ];
    for (const option of options) {
      const worker = library.coordinator.work(option, () => null);
      // Also if the program ignores the promise.
      await library.log.noted("error", new RegExp(`the worker ${option.session} has ended`));
      await errorOf(worker.done, "invalid_request");
      await worker.stop();
    }
    assert.deepEqual((await coordinator.ok("sessions.list")).sessions, []);
  });

  it("that it may not ask: it ends and says so, instead of retrying forever", async () => {
    const deny = (subject: string): string =>
      `{ user: ${subject.split(".").join("-")}, password: p, permissions: { publish: { deny: "${subject}" } } }`;
    const users = [deny("sessions.register.>"), deny("tasks.next"), "{ user: all, password: p }"];
    const config = `jetstream {}\nno_auth_user: all\nauthorization { users: [${users.join(", ")}] }`;
    await using coordinator = await TestCoordinator.start({ server: { config } });
    for (const [i, username] of ["sessions-register->", "tasks-next"].entries()) {
      const credentials = { username, password: "p" };
      await using library = await Library.connect(coordinator, { config: credentials });
      const worker = library.coordinator.work({ session: `s${i}` }, () => null);
      const refused = await errorOf(worker.done, "forbidden");
      assert.match(refused.message, /does not permit/);
    }
  });
});
