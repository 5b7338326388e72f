/** Parked `next` requests whose client no longer waits: they cost no task. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { askNext, idsOf, next, parked } from "../support/next-requests.ts";
import { Agent, startHearing } from "../support/system-account.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

/** A clock that the test can put forward. */
class Clock {
  #ahead = 0;
  readonly steady = (): number => performance.now() + this.#ahead;

  forward(ms: number): void {
    this.#ahead += ms;
  }
}

async function park(coordinator: TestCoordinator, count: number): Promise<() => Promise<void>> {
  const gone = await coordinator.server.connect();
  const wait = { wait_seconds: 60 };
  for (let i = 0; i < count; i++) {
    const body = JSON.stringify({ session_id: `gone-${i}`, ...wait });
    gone.request("tasks.next", body, { timeout: 60_000 }).catch(() => undefined);
  }
  await parked(coordinator, count);
  return () => gone.close();
}

describe("parked requests of a lost connection", () => {
  it("are skipped: a client that still waits gets the task at once", async () => {
    const clock = new Clock();
    await using coordinator = await TestCoordinator.start({ clock });
    const leave = await park(coordinator, 1_000);
    await leave();
    const waiting = next(coordinator, "alive", { wait_seconds: 30 });
    await parked(coordinator, 1_001);
    clock.forward(2_000);
    await coordinator.ok("tasks.create.a");
    const { claims } = await waiting;
    assert.equal(claims[0].attempt, 1);
    const { entries } = await coordinator.ok("tasks.history.a");
    assert.equal(entries.length, 2);
    await parked(coordinator, 0);
  });

  it("make room for others when too many requests are parked", async () => {
    const clock = new Clock();
    const settings = { "limits.waiting": 5 };
    await using coordinator = await TestCoordinator.start({ clock, settings });
    const leave = await park(coordinator, 5);
    await leave();
    clock.forward(2_000);
    const waiting = next(coordinator, "alive", { wait_seconds: 30 });
    await parked(coordinator, 1);
    await coordinator.ok("tasks.create.a");
    assert.deepEqual(idsOf(await waiting), ["a"]);
  });

  it("stay while the client listens, even for a long time", async () => {
    const clock = new Clock();
    await using coordinator = await TestCoordinator.start({ clock });
    const first = next(coordinator, "first", { wait_seconds: 30 });
    await parked(coordinator, 1);
    const second = next(coordinator, "second", { wait_seconds: 30 });
    await parked(coordinator, 2);
    clock.forward(20_000);
    await coordinator.ok("tasks.create.a");
    assert.deepEqual(idsOf(await first), ["a"]);
    clock.forward(20_000);
    await coordinator.ok("tasks.create.b");
    assert.deepEqual(idsOf(await second), ["b"]);
  });

  it("end by themselves if lost connections are reported", async () => {
    await using coordinator = await startHearing();
    const agent = await Agent.connect(coordinator.server);
    const body = { session_id: "s1", wait_seconds: 60, release_on_disconnect: agent.id };
    agent.ok("tasks.next", body).catch(() => undefined);
    await parked(coordinator, 1);
    await agent.vanish();
    await parked(coordinator, 0);
  });
});

describe("parked requests of a session that is unregistered", () => {
  it("are answered at once without a task, by every worker", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 3 });
    await coordinator.ok("sessions.register.s1");
    const waiting = Array.from({ length: 20 }, () => next(coordinator, "s1", { wait_seconds: 60 }));
    const other = next(coordinator, "s2", { wait_seconds: 60 });
    await coordinator.ok("sessions.unregister.s1");
    for (const reply of await Promise.all(waiting)) {
      assert.deepEqual(reply, { ok: true, claims: [], reasons: {}, next_due_at: null });
    }
    await coordinator.ok("tasks.create.a");
    assert.deepEqual(idsOf(await other), ["a"]);
  });

  it("end with session_replaced if another instance registers the session", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("sessions.register.s1", { instance: "first" });
    const waiting = askNext(coordinator, "s1", { wait_seconds: 60, instance: "first" });
    await parked(coordinator, 1);
    await coordinator.ok("sessions.register.s1", { instance: "second" });
    assert.equal((await waiting).error.code, "session_replaced");
  });

  it("stay if the session has only expired", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("sessions.register.s1", { ttl_seconds: 1 });
    const waiting = next(coordinator, "s1", { wait_seconds: 60 });
    await coordinator.until("sessions.list", ({ sessions }) => sessions.length === 0);
    await coordinator.ok("tasks.create.a");
    assert.deepEqual(idsOf(await waiting), ["a"]);
  });
});
