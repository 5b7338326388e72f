import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Kvm } from "@nats-io/kv";
import { withLateWatch } from "../support/late-watch.ts";
import { idsOf, next } from "../support/next-requests.ts";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

const OLD = { session_id: "s1", instance: "old" };
const NEW = { session_id: "s1", instance: "new" };

async function register(coordinator: TestCoordinator, instance?: string): Promise<Json> {
  const body = instance === undefined ? {} : { instance };
  return (await coordinator.ok("sessions.register.s1", body)).session;
}

async function claim(coordinator: TestCoordinator, id: string, as: object): Promise<Json> {
  await coordinator.ok(`tasks.create.${id}`);
  return coordinator.ok(`tasks.claim.${id}`, as);
}

/** Changes the entry of the key in the bucket, as another worker would. */
async function rewrite(
  coordinator: TestCoordinator,
  bucket: string,
  key: string,
  change: (record: Json) => Json,
): Promise<void> {
  const kv = await new Kvm(coordinator.connection).open(bucket);
  const record: Json = (await kv.get(key))?.json();
  await kv.put(key, JSON.stringify(change(record)));
}

describe("a registration by another instance", () => {
  it("returns the claims of the earlier one before it is answered, without counting a failure", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 3 });
    await register(coordinator, "old");
    for (const id of ["a", "b", "c"]) await claim(coordinator, id, OLD);
    const { instance } = await register(coordinator, "new");
    assert.equal(instance, "new");
    for (const id of ["a", "b", "c"]) {
      const { attempt, already_held, task } = await coordinator.ok(`tasks.claim.${id}`, NEW);
      assert.deepEqual([attempt, already_held, task.failures], [2, false, 0]);
      assert.equal(task.claim_instance, "new");
      const { entries } = await coordinator.ok(`tasks.history.${id}`);
      const { task: returned } = entries.at(-2);
      const { type, session_id, reason } = returned.last_event;
      assert.deepEqual([type, session_id, reason], ["task_released", "s1", "session_replaced"]);
      assert.deepEqual([returned.not_before, returned.error], [null, null]);
    }
  });

  it("reports how many claims went back", async () => {
    await using coordinator = await TestCoordinator.start();
    await register(coordinator, "old");
    await claim(coordinator, "a", OLD);
    const told = coordinator.fact("session_replaced");
    await register(coordinator, "new");
    const { sessionId, released } = await told;
    assert.deepEqual([sessionId, released], ["s1", 1]);
  });

  it("begins the time of registration again, while one by the same instance keeps it", async () => {
    await using coordinator = await TestCoordinator.start();
    const first = await register(coordinator, "old");
    assert.equal((await register(coordinator, "old")).registered_at, first.registered_at);
    await new Promise((resolve) => setTimeout(resolve, 2));
    assert.notEqual((await register(coordinator, "new")).registered_at, first.registered_at);
  });

  it("also ends claims without an instance, but not its own", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 2 });
    await claim(coordinator, "older-version", { session_id: "s1" });
    await claim(coordinator, "own", NEW);
    await register(coordinator, "new");
    const older = await coordinator.ok("tasks.get.older-version");
    assert.equal(older.task.status, "available");
    const own = await coordinator.ok("tasks.claim.own", NEW);
    assert.deepEqual([own.attempt, own.already_held], [1, true]);
  });

  it("cancels a claim that was asked to stop", async () => {
    await using coordinator = await TestCoordinator.start();
    await register(coordinator, "old");
    await claim(coordinator, "a", OLD);
    await coordinator.ok("tasks.cancel.a");
    await register(coordinator, "new");
    const { task } = await coordinator.ok("tasks.get.a");
    assert.deepEqual(
      [task.status, task.last_event.type, task.last_event.reason],
      ["cancelled", "task_cancelled", "session_replaced"],
    );
  });

  it("makes every later request of the earlier one refused, without any change", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 3 });
    await register(coordinator, "old");
    await claim(coordinator, "mine", OLD);
    await register(coordinator, "new");
    const { attempt } = await coordinator.ok("tasks.claim.mine", NEW);
    await coordinator.ok("tasks.create.free");
    const { instance } = OLD;
    for (const [subject, body] of [
      ["sessions.heartbeat.s1", { instance }],
      ["sessions.register.s1", { instance }],
      ["sessions.unregister.s1", { instance }],
      ["tasks.claim.free", OLD],
      ["tasks.next", OLD],
      ["tasks.renew.mine", OLD],
      ["tasks.release.mine", { ...OLD, status: "complete" }],
    ] as const) {
      const error = await coordinator.refused(subject, body);
      assert.deepEqual([error.code, error.retryable], ["session_replaced", false], subject);
      assert.match(error.message, /session s1 was registered by another instance/);
    }
    const { holds } = await coordinator.ok("tasks.verify.mine", { session_id: "s1", attempt });
    assert.equal(holds, true);
    assert.equal((await coordinator.ok("tasks.get.free")).task.status, "available");
    await coordinator.ok("sessions.heartbeat.s1", { instance: "new" });
  });

  it("keeps instances refused that were replaced long ago", async () => {
    await using coordinator = await TestCoordinator.start();
    for (let i = 0; i < 16; i++) await register(coordinator, `i${i}`);
    await register(coordinator, "new");
    const error = await coordinator.refused("sessions.register.s1", { instance: "i0" });
    assert.equal(error.code, "session_replaced");
  });

  it("is not undone by a registration without an instance", async () => {
    await using coordinator = await TestCoordinator.start();
    await register(coordinator, "old");
    await register(coordinator, "new");
    await claim(coordinator, "a", NEW);
    assert.equal((await register(coordinator)).instance, "new");
    assert.equal((await coordinator.ok("tasks.get.a")).task.claimed_by, "s1");
    const error = await coordinator.refused("sessions.heartbeat.s1", { instance: "old" });
    assert.equal(error.code, "session_replaced");
  });
});

describe("a claim that the earlier instance made meanwhile through another worker", () => {
  it("goes back when a worker sees the registration", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 2 });
    await register(coordinator, "old");
    await claim(coordinator, "a", OLD);
    // A worker writes this and dies before it has returned the claims.
    await rewrite(coordinator, "sessions", "s1", (record) => ({ ...record, instance: "new" }));
    const { task } = await coordinator.until("tasks.get.a", ({ task: { status } }: Json) => {
      return status === "available";
    });
    assert.equal(task.last_event.reason, "session_replaced");
  });

  it("goes back when a worker sees it, or earlier if the new instance claims it", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 2 });
    await register(coordinator, "old");
    await claim(coordinator, "a", OLD);
    await claim(coordinator, "b", OLD);
    const kv = await new Kvm(coordinator.connection).open("tasks");
    const claimed: Json = (await kv.get("a"))?.json();
    await register(coordinator, "new");
    await kv.put("a", JSON.stringify({ ...claimed, attempt: 2 }));
    await kv.put("b", JSON.stringify({ ...claimed, task_id: "b", attempt: 2 }));
    const taken = await coordinator.ok("tasks.claim.b", NEW);
    assert.deepEqual([taken.attempt, taken.already_held], [3, false]);
    await coordinator.until("tasks.get.a", ({ task }: Json) => task.status === "available");
  });

  it("stays if by the leader's entry its instance is the registered one", async () => {
    let isLate = false;
    await using coordinator = await TestCoordinator.start({
      wrapStores: withLateWatch("sessions", () => isLate),
    });
    await register(coordinator, "old");
    isLate = true;
    await rewrite(coordinator, "sessions", "s1", (record) => ({ ...record, instance: "new" }));
    // This worker still knows the old instance, and reads the leader's entry before it refuses or takes back.
    const { attempt } = await claim(coordinator, "a", NEW);
    await coordinator.ok("sessions.heartbeat.s1", {
      instance: "new",
      claims: [{ task_id: "a", attempt }],
    });
    const error = await coordinator.refused("sessions.heartbeat.s1", { instance: "old" });
    assert.equal(error.code, "session_replaced");
  });
});

describe("two instances of a session that is not registered", () => {
  it("do not share a claim", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 2 });
    await claim(coordinator, "a", OLD);
    const error = await coordinator.refused("tasks.claim.a", NEW);
    assert.deepEqual([error.code, error.claimed_by], ["already_claimed", "s1"]);
    assert.match(error.message, /another instance of this session/);
    for (const [subject, body] of [
      ["tasks.renew.a", NEW],
      ["tasks.release.a", { ...NEW, status: "complete" }],
    ] as const) {
      assert.equal((await coordinator.refused(subject, body)).code, "not_holder");
    }
    const again = await coordinator.ok("tasks.claim.a", OLD);
    assert.deepEqual([again.attempt, again.already_held], [1, true]);
  });

  it("get different tasks for the same request_id", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 2 });
    await coordinator.ok("tasks.create.a");
    const ask = { request_id: "r1" };
    assert.deepEqual(idsOf(await next(coordinator, "s1", { ...OLD, ...ask })), ["a"]);
    assert.deepEqual(idsOf(await next(coordinator, "s1", { ...NEW, ...ask })), []);
    assert.deepEqual(idsOf(await next(coordinator, "s1", { ...OLD, ...ask })), ["a"]);
    await coordinator.ok("tasks.create.b");
    assert.deepEqual(idsOf(await next(coordinator, "s1", { ...NEW, ...ask })), ["b"]);
  });
});

describe("a heartbeat with an instance", () => {
  it("renews what this instance holds and what names none", async () => {
    await using coordinator = await TestCoordinator.start();
    await register(coordinator, "new");
    await claim(coordinator, "own", NEW);
    await claim(coordinator, "unnamed", { session_id: "s1" });
    const { claims } = await coordinator.ok("sessions.heartbeat.s1", { instance: "new" });
    assert.deepEqual(claims.map(({ task_id }: Json) => task_id).sort(), ["own", "unnamed"]);
  });

  it("does not report what the earlier instance lost", async () => {
    await using coordinator = await TestCoordinator.start();
    await register(coordinator, "old");
    await claim(coordinator, "requeued", OLD);
    await claim(coordinator, "held", OLD);
    await coordinator.ok("tasks.requeue.requeued");
    await register(coordinator, "new");
    const { lost, claims } = await coordinator.ok("sessions.heartbeat.s1", { instance: "new" });
    assert.deepEqual([lost, claims], [[], []]);
  });
});

describe("a session that names no instance", () => {
  it("is told that another instance took its claims", async () => {
    await using coordinator = await TestCoordinator.start();
    await register(coordinator);
    const { attempt } = await claim(coordinator, "a", { session_id: "s1" });
    await register(coordinator, "new");
    const { lost } = await coordinator.ok("sessions.heartbeat.s1");
    assert.deepEqual(lost, ["a"]);
    const named = { claims: [{ task_id: "a", attempt }] };
    assert.deepEqual((await coordinator.ok("sessions.heartbeat.s1", named)).lost, ["a"]);
  });
});

describe("unregistering with an instance", () => {
  it("returns the claims of this instance and those without one, and no others", async () => {
    await using coordinator = await TestCoordinator.start();
    await claim(coordinator, "other", OLD);
    await claim(coordinator, "own", NEW);
    await claim(coordinator, "none", { session_id: "s1" });
    const { released } = await coordinator.ok("sessions.unregister.s1", { instance: "new" });
    assert.deepEqual(released, ["none", "own"]);
    assert.equal((await coordinator.ok("tasks.get.other")).task.claimed_by, "s1");
  });

  it("ends the session", async () => {
    await using coordinator = await TestCoordinator.start();
    await register(coordinator, "new");
    await coordinator.ok("sessions.unregister.s1", { instance: "new" });
    assert.deepEqual((await coordinator.ok("sessions.list")).sessions, []);
  });
});
