import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { idsOf, next, parked } from "../support/next-requests.ts";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

describe("asking for the next task", () => {
  it("gets the most urgent task, and the oldest among equals", async () => {
    await using coordinator = await TestCoordinator.start();
    const priorities = { a: 3, b: 1, c: 1, d: 0 };
    for (const [id, priority] of Object.entries(priorities)) {
      await coordinator.ok(`tasks.create.${id}`, { priority });
    }
    const order: string[] = [];
    for (let i = 0; i < 4; i++) order.push(idsOf(await next(coordinator, `s${i}`)).join());
    assert.deepEqual(order, ["d", "b", "c", "a"]);
  });

  it("gets up to max tasks at once", async () => {
    await using coordinator = await TestCoordinator.start();
    for (const id of ["a", "b", "c"]) await coordinator.ok(`tasks.create.${id}`);
    assert.deepEqual(idsOf(await next(coordinator, "s1", { max: 2 })), ["a", "b"]);
    assert.deepEqual(idsOf(await next(coordinator, "s1", { max: 2 })), ["c"]);
  });

  it("hands each of 200 tasks to one session only, with three workers", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 3 });
    const tasks = Array.from({ length: 200 }, (_, i) => ({ task_id: `t${i}` }));
    await coordinator.ok("tasks.import", { tasks });
    const sessions = Array.from({ length: 20 }, async (_, s) => {
      const mine: string[] = [];
      for (;;) {
        const ids = idsOf(await next(coordinator, `s${s}`, { max: 3 }));
        if (ids.length === 0) return mine;
        mine.push(...ids);
      }
    });
    const claimed = (await Promise.all(sessions)).flat();
    assert.equal(claimed.length, 200);
    assert.equal(new Set(claimed).size, 200);
  });

  it("gets the reasons why there is no task, with counts, and when a task falls due", async () => {
    await using coordinator = await TestCoordinator.start({
      settings: { "retry.base_ms": 60_000 },
    });
    await coordinator.ok("tasks.create.claimed");
    await coordinator.ok("tasks.claim.claimed", { session_id: "other" });
    await coordinator.ok("tasks.create.blocked", { depends_on: ["claimed"] });
    await coordinator.ok("tasks.create.gpu", { requires: ["gpu"], tags: ["docs"] });
    await coordinator.ok("tasks.create.untagged");
    await coordinator.ok("tasks.create.late", { tags: ["docs"] });
    await coordinator.ok("tasks.claim.late", { session_id: "other" });
    const { task } = await coordinator.ok("tasks.release.late", {
      session_id: "other",
      status: "failed",
    });

    const reply = await next(coordinator, "s1", { tags: ["docs"] });
    assert.deepEqual(reply.claims, []);
    assert.deepEqual(reply.reasons, { capabilities: 1, tags: 1, not_due: 1 });
    assert.equal(reply.next_due_at, task.not_before);
    const all = await next(coordinator, "s1", { max: 2 });
    assert.deepEqual(idsOf(all), ["untagged"]);
    assert.deepEqual((await next(coordinator, "s1")).reasons, {
      blocked: 1,
      claimed: 2,
      capabilities: 1,
      not_due: 1,
    });
  });

  it("counts only blocked and claimed tasks with its prefix and tags, as they come and go", async () => {
    await using coordinator = await TestCoordinator.start();
    const reasons = async (more: object): Promise<unknown> =>
      (await next(coordinator, "s1", more)).reasons;
    await coordinator.ok("tasks.create.a.1", { tags: ["docs"] });
    await coordinator.ok("tasks.create.a.2", { depends_on: ["a.1"] });
    await coordinator.ok("tasks.claim.a.1", { session_id: "other" });
    assert.deepEqual(await reasons({ prefix: "a." }), { blocked: 1, claimed: 1 });
    assert.deepEqual(await reasons({ tags: ["docs"] }), { claimed: 1 });
    assert.deepEqual(await reasons({ prefix: "b." }), {});
    await coordinator.ok("tasks.create.b.1", { depends_on: ["a.1"] });
    assert.deepEqual(await reasons({ prefix: "b." }), { blocked: 1 });
    await coordinator.ok("tasks.cancel.b.1");
    assert.deepEqual(await reasons({ prefix: "b." }), {});
    const done = { session_id: "other", status: "complete" };
    await coordinator.ok("tasks.release.a.1", done);
    await coordinator.until("tasks.get.a.2", ({ task }) => task.status === "available");
    await coordinator.ok("tasks.claim.a.2", { session_id: "other" });
    assert.deepEqual(await reasons({ prefix: "a." }), { claimed: 1 });
  });

  it("gets only tasks that fit its capabilities, tags and prefix", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.P0.plain");
    await coordinator.ok("tasks.create.P1.gpu", { requires: ["gpu"] });
    await coordinator.ok("tasks.create.P1.docs", { tags: ["docs", "en"] });
    assert.deepEqual(idsOf(await next(coordinator, "s1", { tags: ["en"] })), ["P1.docs"]);
    assert.deepEqual(idsOf(await next(coordinator, "s1", { prefix: "P1." })), []);
    const gpu = { prefix: "P1.", capabilities: ["gpu"] };
    assert.deepEqual(idsOf(await next(coordinator, "s1", gpu)), ["P1.gpu"]);
    await coordinator.ok("tasks.create.P2.gpu", { requires: ["gpu"] });
    await coordinator.ok("sessions.register.s2", { capabilities: ["gpu"] });
    assert.deepEqual(idsOf(await next(coordinator, "s2", { prefix: "P2." })), ["P2.gpu"]);
  });

  it("with a request_id, gets the same claims each time it asks", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 3 });
    for (const id of ["a", "b", "c"]) await coordinator.ok(`tasks.create.${id}`);
    const ask = { max: 2, request_id: "r1" };
    const first = await next(coordinator, "s1", ask);
    await allSeeAll(coordinator, 3);
    for (let i = 0; i < 6; i++) {
      const again = await next(coordinator, "s1", ask);
      assert.deepEqual(idsOf(again).sort(), idsOf(first).sort());
      for (const claim of again.claims) assert.equal(claim.already_held, true);
    }
    assert.deepEqual(idsOf(await next(coordinator, "s1", { request_id: "r2" })), ["c"]);
  });
});

/** Resolves when each worker has received all changes: a client repeats a request long after that. */
async function allSeeAll(coordinator: TestCoordinator, workers: number): Promise<void> {
  const seen = new Set<string>();
  while (seen.size < workers) seen.add((await coordinator.ok("tasks.stats")).worker.id);
}

describe("waiting for the next task", () => {
  it("is answered when a task is created, unblocked, given back or falls due", async () => {
    await using coordinator = await TestCoordinator.start({
      workers: 2,
      settings: { "retry.base_ms": 50 },
    });
    const wait = (session: string): Promise<Json> =>
      next(coordinator, session, { wait_seconds: 30 });

    let waiting = wait("s1");
    await parked(coordinator, 1);
    await coordinator.ok("tasks.create.a");
    assert.deepEqual(idsOf(await waiting), ["a"]);

    await coordinator.ok("tasks.create.b", { depends_on: ["a"] });
    waiting = wait("s2");
    await parked(coordinator, 1);
    await coordinator.ok("tasks.release.a", { session_id: "s1", status: "complete" });
    assert.deepEqual(idsOf(await waiting), ["b"]);

    waiting = wait("s3");
    await parked(coordinator, 1);
    await coordinator.ok("tasks.release.b", { session_id: "s2", status: "available" });
    assert.deepEqual(idsOf(await waiting), ["b"]);

    waiting = wait("s4");
    await parked(coordinator, 1);
    await coordinator.ok("tasks.release.b", { session_id: "s3", status: "failed" });
    assert.deepEqual(idsOf(await waiting), ["b"]);
  });

  it("is answered when several tasks fall due while another session asks", async () => {
    const clock = { ahead: 0 };
    await using coordinator = await TestCoordinator.start({
      settings: { "retry.base_ms": 60_000 },
      clock: { now: () => Date.now() + clock.ahead, random: () => 0.5 },
    });
    for (const id of ["a", "b"]) {
      await coordinator.ok(`tasks.create.${id}`);
      await coordinator.ok(`tasks.claim.${id}`, { session_id: "s0" });
      await coordinator.ok(`tasks.release.${id}`, { session_id: "s0", status: "failed" });
    }
    const waiting = next(coordinator, "s1", { wait_seconds: 30 });
    await parked(coordinator, 1);
    // The timer of the parked request is still far away.
    clock.ahead = 120_000;
    const startedAt = performance.now();
    const asked = await next(coordinator, "s2");
    assert.deepEqual([...idsOf(asked), ...idsOf(await waiting)].sort(), ["a", "b"]);
    assert.ok(performance.now() - startedAt < 15_000, "it slept to the end of its time");
  });

  it("is served in the order of arrival", async () => {
    await using coordinator = await TestCoordinator.start();
    const order: string[] = [];
    const waiting: Promise<void>[] = [];
    for (let s = 0; s < 5; s++) {
      waiting.push(
        next(coordinator, `s${s}`, { wait_seconds: 30 }).then(() => void order.push(`s${s}`)),
      );
      await parked(coordinator, s + 1);
    }
    for (let i = 0; i < 5; i++) await coordinator.ok(`tasks.create.t${i}`);
    await Promise.all(waiting);
    const holders = await Promise.all(
      Array.from({ length: 5 }, async (_, i) => (await coordinator.ok(`tasks.get.t${i}`)).task),
    );
    assert.deepEqual(
      holders.map((task) => task.claimed_by),
      ["s0", "s1", "s2", "s3", "s4"],
    );
    assert.deepEqual(order, ["s0", "s1", "s2", "s3", "s4"]);
  });

  it("does not hold up a later request that can take what the first one cannot", async () => {
    await using coordinator = await TestCoordinator.start();
    const gpu = next(coordinator, "s1", { wait_seconds: 30, capabilities: ["gpu"], tags: ["x"] });
    await parked(coordinator, 1);
    const any = next(coordinator, "s2", { wait_seconds: 30 });
    await parked(coordinator, 2);
    await coordinator.ok("tasks.create.plain");
    assert.deepEqual(idsOf(await any), ["plain"]);
    await coordinator.ok("tasks.create.special", { requires: ["gpu"], tags: ["x"] });
    assert.deepEqual(idsOf(await gpu), ["special"]);
  });

  it("ends without a task when the time is over", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a", { requires: ["gpu"] });
    const reply = await next(coordinator, "s1", { wait_seconds: 0.05 });
    assert.deepEqual([reply.claims, reply.reasons], [[], { capabilities: 1 }]);
  });

  it("costs no task if the client has gone", async () => {
    await using coordinator = await TestCoordinator.start();
    const gone = await coordinator.server.connect();
    const body = JSON.stringify({ session_id: "gone", wait_seconds: 30 });
    gone.request("tasks.next", body, { timeout: 60_000 }).catch(() => undefined);
    await parked(coordinator, 1);
    await gone.close();

    const since = coordinator.facts.length;
    await coordinator.ok("tasks.create.a");
    await coordinator.fact("answer_undelivered", () => true, since);
    await coordinator.fact("task_written", ({ event }) => event === "task_released", since);
    const { task } = await coordinator.ok("tasks.get.a");
    assert.deepEqual([task.status, task.failures], ["available", 0]);
    assert.deepEqual(idsOf(await next(coordinator, "s2")), ["a"]);
  });

  it("gets a claim by asking again, if the client did not wait for the answer", async () => {
    await using coordinator = await TestCoordinator.start();
    const since = coordinator.facts.length;
    // The client gives up. Its connection stays, so nothing shows that it does not read the answer.
    const body = JSON.stringify({ session_id: "s1", wait_seconds: 30 });
    const givenUp = coordinator.connection.request("tasks.next", body, { timeout: 50 });
    await assert.rejects(givenUp);
    await coordinator.ok("tasks.create.a");
    await coordinator.fact("task_written", ({ event }) => event === "task_claimed", since);

    const again = await next(coordinator, "s1");
    assert.deepEqual(idsOf(again), ["a"]);
    assert.deepEqual([again.claims[0].already_held, again.claims[0].attempt], [true, 1]);
    assert.deepEqual(idsOf(await next(coordinator, "s1")), [], "it is repeated once only");
  });

  it("gives a task to the newest request of a session, because an older one may be given up", async () => {
    await using coordinator = await TestCoordinator.start();
    const older = next(coordinator, "s1", { wait_seconds: 0.3 });
    await parked(coordinator, 1);
    const newer = next(coordinator, "s1", { wait_seconds: 30 });
    await parked(coordinator, 2);
    await coordinator.ok("tasks.create.a");
    assert.deepEqual(idsOf(await newer), ["a"]);
    assert.deepEqual(idsOf(await older), []);
  });

  it("ends at once when its worker stops", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 0 });
    const app = await coordinator.addWorkers(1);
    const waiting = next(coordinator, "s1", { wait_seconds: 60 });
    await parked(coordinator, 1);
    await app.stop();
    assert.deepEqual((await waiting).claims, []);
  });

  it("is refused as overloaded when too many requests are parked", async () => {
    await using coordinator = await TestCoordinator.start({ settings: { "limits.waiting": 1 } });
    const first = next(coordinator, "s1", { wait_seconds: 30 });
    await parked(coordinator, 1);
    const error = await coordinator.refused("tasks.next", { session_id: "s2", wait_seconds: 30 });
    assert.deepEqual([error.code, error.retryable], ["overloaded", true]);
    await coordinator.ok("tasks.create.a");
    assert.deepEqual(idsOf(await first), ["a"]);
  });
});
