/** How many tasks a session and an agent may hold, and for how long. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { askNext, idsOf, parked } from "../support/next-requests.ts";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

function isRefused({ error }: Json, limit: string, value: number): void {
  assert.deepEqual(
    [error.code, error.retryable, error.limit, error.value],
    ["limit_reached", false, limit, value],
  );
}

async function startWith(
  settings: Record<string, number>,
  tasks: number,
): Promise<TestCoordinator> {
  const coordinator = await TestCoordinator.start({ settings });
  const ids = Array.from({ length: tasks }, (_, i) => ({ task_id: `t${i}` }));
  if (tasks > 0) await coordinator.ok("tasks.import", { tasks: ids });
  return coordinator;
}

describe("the limit of claims of a session", () => {
  it("refuses claim and next, and lets the session ask again for what it holds", async () => {
    await using coordinator = await startWith({ "limits.claims_per_session": 2 }, 5);
    const s1 = { session_id: "s1" };
    assert.deepEqual(idsOf(await coordinator.ok("tasks.next", { ...s1, max: 5 })), ["t0", "t1"]);
    isRefused(await coordinator.request("tasks.claim.t2", s1), "limits.claims_per_session", 2);
    isRefused(await askNext(coordinator, "s1"), "limits.claims_per_session", 2);
    assert.equal((await coordinator.ok("tasks.claim.t1", s1)).already_held, true);
    assert.deepEqual(idsOf(await askNext(coordinator, "s2")), ["t2"]);
    await coordinator.ok("tasks.release.t0", { ...s1, status: "complete" });
    await coordinator.ok("tasks.claim.t3", s1);
  });

  it("leaves a parked request out until the session has room again", async () => {
    await using coordinator = await startWith({ "limits.claims_per_session": 1 }, 0);
    const first = askNext(coordinator, "s1", { wait_seconds: 30 });
    await parked(coordinator, 1);
    const second = askNext(coordinator, "s1", { wait_seconds: 30 });
    await parked(coordinator, 2);
    await coordinator.ok("tasks.create.a");
    await coordinator.ok("tasks.create.b");
    const { claims } = await Promise.race([first, second]);
    await parked(coordinator, 1);
    assert.equal((await coordinator.ok("tasks.get.b")).task.status, "available");
    await coordinator.ok("tasks.release.a", {
      session_id: "s1",
      attempt: claims[0].attempt,
      status: "complete",
    });
    const both = await Promise.all([first, second]);
    assert.deepEqual(both.flatMap(idsOf).sort(), ["a", "b"]);
  });

  it("holds when many tasks become ready for many parked requests at once", async () => {
    await using coordinator = await startWith({ "limits.claims_per_session": 5 }, 0);
    const waiting = Array.from({ length: 20 }, () =>
      askNext(coordinator, "s1", { wait_seconds: 3 }),
    );
    await parked(coordinator, 20);
    const tasks = Array.from({ length: 20 }, (_, i) => ({ task_id: `t${i}` }));
    await coordinator.ok("tasks.import", { tasks });
    const replies = await Promise.all(waiting);
    assert.equal(replies.filter(({ claims }) => claims?.length === 1).length, 5);
    assert.equal((await coordinator.ok("tasks.stats")).tasks.claimed, 5);
  });

  it("lets a release with next claim one in place of the other", async () => {
    await using coordinator = await startWith({ "limits.claims_per_session": 1 }, 2);
    const { attempt } = await coordinator.ok("tasks.claim.t0", { session_id: "s1" });
    const body = { session_id: "s1", attempt, status: "complete", next: {} };
    const { next } = await coordinator.ok("tasks.release.t0", body);
    assert.deepEqual(idsOf(next), ["t1"]);
  });

  it("counts claims that other workers have made and ended", async () => {
    const settings = { "limits.claims_per_session": 10 };
    await using coordinator = await TestCoordinator.start({ settings, workers: 3 });
    const ids = Array.from({ length: 40 }, (_, i) => ({ task_id: `t${i}` }));
    await coordinator.ok("tasks.import", { tasks: ids });
    for (let i = 0; i < 30; i++) {
      const { attempt } = await coordinator.ok(`tasks.claim.t${i}`, { session_id: "s1" });
      await coordinator.ok(`tasks.release.t${i}`, {
        session_id: "s1",
        attempt,
        status: "complete",
      });
    }
    assert.equal(
      (await coordinator.ok("tasks.next", { session_id: "s1", max: 10 })).claims.length,
      10,
    );
  });
});

describe("the limit of claims of an agent", () => {
  it("holds for all of its sessions, and for nobody else", async () => {
    await using coordinator = await startWith({ "limits.claims_per_principal": 2 }, 6);
    await coordinator.ok("agent.s1.tasks.claim.t0", { session_id: "s1" });
    const body = { session_id: "s1.a", max: 5 };
    assert.deepEqual(idsOf(await coordinator.ok("agent.s1.tasks.next", body)), ["t1"]);
    const refused = await coordinator.request("agent.s1.tasks.claim.t2", { session_id: "s1.b" });
    isRefused(refused, "limits.claims_per_principal", 2);
    assert.match(refused.error.message, /^agent\.s1 holds 2 tasks: /);
    await coordinator.ok("agent.s12.tasks.claim.t2", { session_id: "s12" });
    await coordinator.ok("agent.s1.tasks.release.t1", { session_id: "s1.a", status: "available" });
    await coordinator.ok("agent.s1.tasks.claim.t4", { session_id: "s1" });
  });
});

describe("the longest lease", () => {
  it("is a setting, and a longer one is refused by claim, next and renew", async () => {
    await using coordinator = await startWith({ "limits.lease_seconds": 60 }, 3);
    const long = { session_id: "s1", ttl_seconds: 61 };
    for (const subject of ["tasks.claim.t0", "tasks.next"]) {
      isRefused(await coordinator.request(subject, long), "limits.lease_seconds", 60);
    }
    // The default is longer, too.
    const { lease } = await coordinator.ok("tasks.claim.t0", { session_id: "s1" });
    assert.equal(lease.ttl_seconds, 60);
    const { claims } = await coordinator.ok("tasks.next", { session_id: "s1" });
    assert.equal(claims[0].lease.ttl_seconds, 60);
    isRefused(await coordinator.request("tasks.renew.t0", long), "limits.lease_seconds", 60);
    await coordinator.ok("tasks.renew.t0", { ...long, ttl_seconds: 60 });
  });
});
