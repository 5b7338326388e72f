/** A release that asks for the next tasks in the same request. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CoordinatorError } from "../../src/protocol/errors.ts";
import { withFaults } from "../support/faulty-stores.ts";
import { idsOf, parked } from "../support/next-requests.ts";
import { Agent, startHearing } from "../support/system-account.ts";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

const COMPLETE = { session_id: "s1", attempt: 1, status: "complete" };

/** Tasks in the order in which they are claimed, of which session `s1` holds the first. */
async function begin(coordinator: TestCoordinator, ...ids: string[]): Promise<void> {
  for (const id of ids) await coordinator.ok(`tasks.create.${id}`);
  await coordinator.ok(`tasks.claim.${ids[0] ?? ""}`, { session_id: "s1" });
}

/** Resolves with the answer of a release that may be parked. */
function release(coordinator: TestCoordinator, id: string, body: object): Promise<Json> {
  return coordinator.request(`tasks.release.${id}`, { ...COMPLETE, ...body }, 60_000);
}

describe("a release with next", () => {
  it("ends the claim and claims the next task", async () => {
    await using coordinator = await TestCoordinator.start();
    await begin(coordinator, "a", "b", "c");
    const next = { ttl_seconds: 60, max: 1 };
    const reply = await coordinator.ok("tasks.release.a", { ...COMPLETE, result: 7, next });
    assert.deepEqual([reply.task.status, reply.task.result], ["complete", 7]);
    assert.deepEqual(idsOf(reply.next), ["b"]);
    const [claim] = reply.next.claims;
    assert.deepEqual([claim.attempt, claim.already_held], [1, false]);
    assert.equal(claim.lease.ttl_seconds, 60);
    assert.equal((await coordinator.ok("tasks.get.b")).task.claimed_by, "s1");
    assert.equal((await coordinator.ok("tasks.get.c")).task.status, "available");
  });

  it("applies tags, prefix, capabilities and max", async () => {
    await using coordinator = await TestCoordinator.start();
    await begin(coordinator, "a", "other");
    for (const id of ["x.1", "x.2", "x.3"]) {
      await coordinator.ok(`tasks.create.${id}`, { tags: ["t"], requires: ["gpu"] });
    }
    const next = { max: 2, prefix: "x.", tags: ["t"], capabilities: ["gpu"] };
    assert.deepEqual(idsOf((await release(coordinator, "a", { next })).next), ["x.1", "x.2"]);
  });

  it("says why there is no next task", async () => {
    await using coordinator = await TestCoordinator.start();
    await begin(coordinator, "a");
    await coordinator.ok("tasks.create.b", { requires: ["gpu"] });
    const reply = await coordinator.ok("tasks.release.a", { ...COMPLETE, next: {} });
    assert.deepEqual(reply.next, { claims: [], reasons: { capabilities: 1 }, next_due_at: null });
  });

  it("has no next in its reply unless it asks for it", async () => {
    await using coordinator = await TestCoordinator.start();
    await begin(coordinator, "a", "b");
    const reply = await coordinator.ok("tasks.release.a", { ...COMPLETE, next: null });
    assert.deepEqual(Object.keys(reply), ["ok", "task", "revision"]);
  });

  it("claims nothing if the release is refused", async () => {
    await using coordinator = await TestCoordinator.start();
    await begin(coordinator, "a", "b");
    const next = { wait_seconds: 30 };
    const stale = { ...COMPLETE, attempt: 2, next };
    assert.equal((await coordinator.refused("tasks.release.a", stale)).code, "lease_lost");
    const stranger = { ...COMPLETE, session_id: "s2", next };
    assert.equal((await coordinator.refused("tasks.release.a", stranger)).code, "not_holder");
    const large = { ...COMPLETE, result: "x".repeat(100_000), next };
    assert.equal((await coordinator.refused("tasks.release.a", large)).code, "too_large");
    assert.equal((await coordinator.ok("tasks.get.b")).task.attempt, 0);
    assert.equal((await coordinator.ok("tasks.get.a")).task.status, "claimed");
  });

  it("names the field of next that is wrong", async () => {
    await using coordinator = await TestCoordinator.start();
    await begin(coordinator, "a", "b");
    const wrong: [object, string, RegExp][] = [
      [{ next: { session_id: "s2" } }, "next.session_id", /unknown field .*next knows ttl_seconds/],
      [{ next: { request_id: "r" } }, "next.request_id", /unknown field/],
      [{ next: { wait_seconds: 61 } }, "next.wait_seconds", /between 0 and 60/],
      [{ next: { max: 0 } }, "next.max", /at least 1/],
      [{ next: true }, "next", /object/],
      [{ attempt: undefined, next: {} }, "attempt", /required with next/],
    ];
    for (const [body, field, message] of wrong) {
      const error = await coordinator.refused("tasks.release.a", { ...COMPLETE, ...body });
      assert.deepEqual([error.code, error.field], ["invalid_request", field]);
      assert.match(error.message, message);
    }
    assert.equal((await coordinator.ok("tasks.get.a")).task.status, "claimed");
  });

  it("is for the sessions of a principal only", async () => {
    await using coordinator = await TestCoordinator.start();
    await begin(coordinator, "a", "b");
    const body = { ...COMPLETE, next: {} };
    const error = await coordinator.refused("agent.s2.tasks.release.a", body);
    assert.equal(error.code, "forbidden");
    assert.deepEqual(idsOf((await coordinator.ok("agent.s1.tasks.release.a", body)).next), ["b"]);
  });

  it("names the connection that holds the next task", async () => {
    await using coordinator = await startHearing();
    await begin(coordinator, "a", "b");
    const agent = await Agent.connect(coordinator.server);
    const next = { ttl_seconds: 3_600, release_on_disconnect: agent.id };
    await agent.ok("tasks.release.a", { ...COMPLETE, next });
    await agent.vanish();
    const { task } = await coordinator.until("tasks.get.b", (reply) => {
      return reply.task.status === "available";
    });
    assert.equal(task.last_event.reason, "connection lost");
  });
});

describe("a release with next that waits", () => {
  const waiting = { next: { wait_seconds: 30 } };

  it("has released the task at once, and gets the next one when it is ready", async () => {
    await using coordinator = await TestCoordinator.start();
    await begin(coordinator, "a");
    const asked = release(coordinator, "a", waiting);
    await parked(coordinator, 1);
    assert.equal((await coordinator.ok("tasks.get.a")).task.status, "complete");
    await coordinator.ok("tasks.create.b");
    const reply = await asked;
    assert.deepEqual([reply.task.task_id, ...idsOf(reply.next)], ["a", "b"]);
  });

  it("gets the task that waited for the released one", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    await coordinator.ok("tasks.create.b", { depends_on: ["a"] });
    await coordinator.ok("tasks.claim.a", { session_id: "s1" });
    assert.deepEqual(idsOf((await release(coordinator, "a", waiting)).next), ["b"]);
  });

  it("does not count against the requests in flight", async () => {
    const settings = { "limits.in_flight": 1 };
    await using coordinator = await TestCoordinator.start({ settings });
    await begin(coordinator, "a");
    const asked = release(coordinator, "a", waiting);
    await parked(coordinator, 1);
    await coordinator.ok("tasks.create.b");
    assert.deepEqual(idsOf((await asked).next), ["b"]);
  });

  it("succeeds without a claim when the worker stops", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 0 });
    const app = await coordinator.addWorkers(1);
    await begin(coordinator, "a");
    const asked = release(coordinator, "a", waiting);
    await parked(coordinator, 1);
    await app.stop();
    const reply = await asked;
    assert.equal(reply.task.status, "complete");
    assert.deepEqual(reply.next, { claims: [], reasons: {}, next_due_at: null });
  });

  it("gives the claims back if the client is gone", async () => {
    await using coordinator = await TestCoordinator.start();
    await begin(coordinator, "a");
    const gone = await coordinator.server.connect();
    const body = JSON.stringify({ ...COMPLETE, ...waiting });
    gone.request("tasks.release.a", body, { timeout: 60_000 }).catch(() => undefined);
    await parked(coordinator, 1);
    await gone.close();
    const since = coordinator.facts.length;
    await coordinator.ok("tasks.create.b");
    const isOfRelease = (fact: { operation: string }): boolean =>
      fact.operation === "tasks.release";
    await coordinator.fact("answer_undelivered", isOfRelease, since);
    await coordinator.until("tasks.get.b", ({ task }) => task.status === "available");
    assert.equal((await coordinator.ok("tasks.get.a")).task.status, "complete");
  });

  it("costs no task once its client has been gone for a while", async () => {
    let ahead = 0;
    const clock = { steady: () => performance.now() + ahead };
    await using coordinator = await TestCoordinator.start({ clock });
    await begin(coordinator, "a");
    const gone = await coordinator.server.connect();
    const body = JSON.stringify({ ...COMPLETE, ...waiting });
    gone.request("tasks.release.a", body, { timeout: 60_000 }).catch(() => undefined);
    await parked(coordinator, 1);
    await gone.close();
    ahead = 2_000;
    await coordinator.ok("tasks.create.b");
    await parked(coordinator, 0);
    assert.equal((await coordinator.ok("tasks.get.b")).task.attempt, 0);
  });
});

describe("a release whose next fails", () => {
  it("reports that too many requests wait", async () => {
    await using coordinator = await TestCoordinator.start({ settings: { "limits.waiting": 1 } });
    await begin(coordinator, "a");
    const first = coordinator.request("tasks.next", { session_id: "s2", wait_seconds: 30 }, 60_000);
    await parked(coordinator, 1);
    const { ok, task, next } = await release(coordinator, "a", { next: { wait_seconds: 30 } });
    assert.deepEqual([ok, task.status, next.claims], [true, "complete", []]);
    assert.deepEqual([next.error.code, next.error.retryable], ["overloaded", true]);
    await coordinator.ok("tasks.create.b");
    assert.deepEqual(idsOf(await first), ["b"]);
  });

  it("reports that the store does not answer, and finds the claim when it is repeated", async () => {
    let isLost = false;
    await using coordinator = await TestCoordinator.start({
      wrapStores: withFaults({
        tasks: {
          write: (real) => async (prepared, expected, writeId) => {
            const outcome = await real.write(prepared, expected, writeId);
            if (prepared.task.taskId !== "b" || isLost) return outcome;
            if (prepared.task.status !== "claimed") return outcome;
            isLost = true;
            throw new CoordinatorError("unavailable", "the answer is lost");
          },
        },
      }),
    });
    await begin(coordinator, "a", "b");
    const first = await release(coordinator, "a", { next: {} });
    assert.deepEqual([first.ok, first.next.error.code], [true, "unavailable"]);
    await coordinator.until("tasks.get.b", ({ task }) => task.status === "claimed");
    const again = await release(coordinator, "a", { next: {} });
    assert.deepEqual([idsOf(again.next), again.next.claims[0].already_held], [["b"], true]);
  });

  it("reports a defect, and logs it", async () => {
    await using coordinator = await TestCoordinator.start({
      wrapStores: withFaults({
        tasks: {
          write: (real) => (prepared, expected, writeId) => {
            const { taskId, status } = prepared.task;
            if (taskId === "b" && status === "claimed") throw new RangeError("a defect");
            return real.write(prepared, expected, writeId);
          },
        },
      }),
    });
    await begin(coordinator, "a", "b");
    const since = coordinator.facts.length;
    const { ok, next } = await release(coordinator, "a", { next: {} });
    assert.deepEqual([ok, next.error.code], [true, "internal"]);
    const { what } = await coordinator.fact("background_error", () => true, since);
    assert.equal(what, "next after a");
  });

  it("reports that another instance has the session", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("sessions.register.s1", { instance: "first" });
    await begin(coordinator, "a");
    const body = { instance: "first", next: { wait_seconds: 30 } };
    const asked = release(coordinator, "a", body);
    await parked(coordinator, 1);
    await coordinator.ok("sessions.register.s1", { instance: "second" });
    const { ok, next } = await asked;
    assert.deepEqual([ok, next.error.code], [true, "session_replaced"]);
  });

  it("claims no more than fits into the reply", async () => {
    const settings = { max_record_bytes: 1_000_000 };
    await using coordinator = await TestCoordinator.start({ settings });
    const payload = "x".repeat(300_000);
    await begin(coordinator, "a");
    for (const id of ["b", "c", "d"]) await coordinator.ok(`tasks.create.${id}`, { payload });
    const result = "x".repeat(300_000);
    const { next } = await release(coordinator, "a", { result, next: { max: 3 } });
    assert.deepEqual(idsOf(next), ["b", "c"]);
  });

  it("reports that not even one claim fits into the reply, and gives it back", async () => {
    const settings = { max_record_bytes: 1_000_000 };
    await using coordinator = await TestCoordinator.start({ settings });
    await begin(coordinator, "a");
    await coordinator.ok("tasks.create.b", { payload: "x".repeat(600_000) });
    const result = "x".repeat(600_000);
    const { ok, task, next } = await release(coordinator, "a", { result, next: {} });
    assert.deepEqual([ok, task.status, next.error.code], [true, "complete", "too_large"]);
    await coordinator.until("tasks.get.b", (reply) => reply.task.status === "available");
  });
});
