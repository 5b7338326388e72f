import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { withFaults } from "../support/faulty-stores.ts";
import { ended, lastLease, leaseMarker, stored } from "../support/stored-leases.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

describe("a lease", () => {
  it("returns the task of a dead session to the pool, and its late release is refused", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 3 });
    await coordinator.ok("tasks.create.a");
    await coordinator.ok("tasks.claim.a", { session_id: "dead", ttl_seconds: 1 });
    await coordinator.fact("task_written", ({ event }) => event === "task_expired");

    const { task } = await coordinator.ok("tasks.get.a");
    assert.deepEqual([task.status, task.failures, task.not_before], ["available", 0, null]);
    assert.equal(task.lost_leases, 1);
    assert.deepEqual(
      [task.last_event.type, task.last_event.session_id, task.last_event.reason],
      ["task_expired", "dead", "lease expired"],
    );
    const late = { session_id: "dead", attempt: 1, status: "complete" };
    assert.equal((await coordinator.refused("tasks.release.a", late)).code, "lease_lost");
    const next = await coordinator.ok("tasks.claim.a", { session_id: "alive" });
    assert.equal(next.attempt, 2);
    assert.equal((await coordinator.refused("tasks.release.a", late)).code, "lease_lost");
    assert.equal(expiries(coordinator), 1, "one of the workers reclaims it, once");
  });

  it("fails its task once the task has lost as many leases as it may", async () => {
    await using coordinator = await TestCoordinator.start({ settings: { max_lost_leases: 1 } });
    await coordinator.ok("tasks.create.poison", { max_failures: 1 });
    await coordinator.ok("tasks.create.spared", { max_failures: 1, max_lost_leases: 2 });
    const claim = { session_id: "dead", ttl_seconds: 1 };
    for (const id of ["poison", "spared"]) await coordinator.ok(`tasks.claim.${id}`, claim);
    const written = (id: string) =>
      coordinator.fact(
        "task_written",
        ({ taskId, event }) =>
          taskId === id && (event === "task_failed" || event === "task_expired"),
      );
    await Promise.all([written("poison"), written("spared")]);

    const { task: poison } = await coordinator.ok("tasks.get.poison");
    assert.deepEqual([poison.status, poison.failures, poison.lost_leases], ["failed", 0, 1]);
    assert.match(
      poison.error,
      /^lease expired: the task has lost 1 lease, and max_lost_leases is 1/,
    );
    const { task: spared } = await coordinator.ok("tasks.get.spared");
    assert.deepEqual([spared.status, spared.lost_leases], ["available", 1]);
    const { task } = await coordinator.ok("tasks.requeue.poison");
    assert.deepEqual([task.status, task.lost_leases, task.error], ["available", 0, null]);
  });

  it("lasts as long as it is renewed, and no longer", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 2 });
    await coordinator.ok("tasks.create.kept");
    await coordinator.ok("tasks.create.left");
    await coordinator.ok("tasks.claim.kept", { session_id: "s1", ttl_seconds: 1 });
    await coordinator.ok("tasks.claim.left", { session_id: "s1", ttl_seconds: 1 });
    const left = coordinator.fact("lease_expired", ({ taskId }) => taskId === "left");
    const seen = { expired: false };
    void left.then(() => (seen.expired = true));
    while (!seen.expired) {
      const renewed = await coordinator.ok("tasks.renew.kept", { session_id: "s1", attempt: 1 });
      assert.equal(renewed.lease.ttl_seconds, 1);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.equal((await coordinator.ok("tasks.verify.kept", { attempt: 1 })).holds, true);
    const lost = await coordinator.refused("tasks.renew.left", { session_id: "s1", attempt: 1 });
    assert.equal(lost.code, "lease_lost");
  });

  it("takes another TTL from a renewal, and later renewals keep it", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    await coordinator.ok("tasks.claim.a", { session_id: "s1", ttl_seconds: 10 });
    const longer = { session_id: "s1", ttl_seconds: 500 };
    assert.equal((await coordinator.ok("tasks.renew.a", longer)).lease.ttl_seconds, 500);
    const again = await coordinator.ok("tasks.renew.a", { session_id: "s1" });
    assert.equal(again.lease.ttl_seconds, 500);
  });

  it("is purged when its claim is over", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 2 });
    for (const status of ["complete", "available", "failed"]) {
      await coordinator.ok(`tasks.create.${status}`);
      await coordinator.ok(`tasks.claim.${status}`, { session_id: "s1" });
      await coordinator.ok(`tasks.renew.${status}`, { session_id: "s1" });
      await coordinator.ok(`tasks.release.${status}`, { session_id: "s1", status });
    }
    await coordinator.until("tasks.stats", ({ leases }) => leases === 0);
    const last = await lastLease(coordinator.connection, "complete");
    assert.equal(last?.header.get("KV-Operation"), "PURGE");
    assert.notEqual(last.header.get("Nats-TTL"), "", "the marker removes itself");
  });
});

describe("a claim whose worker died before it wrote the lease", () => {
  it("gets its lease from another worker, and expires after the full TTL", async () => {
    await using coordinator = await TestCoordinator.start({
      workers: 0,
      settings: { lease_grace_ms: 200 },
    });
    const dying = await coordinator.addWorkers(1, {
      wrapStores: withFaults({
        leases: { write: () => () => Promise.resolve({ kind: "unknown" }) },
      }),
    });
    await coordinator.ok("tasks.create.a");
    await coordinator.ok("tasks.claim.a", { session_id: "s1", ttl_seconds: 1 });
    await dying.stop();
    assert.equal(await lastLease(coordinator.connection, "a"), null);

    const since = coordinator.facts.length;
    await coordinator.addWorkers(2);
    const restored = await coordinator.fact("lease_restored", () => true, since);
    assert.equal(restored.attempt, 1);
    assert.equal((await coordinator.ok("tasks.verify.a", { attempt: 1 })).holds, true);
    await coordinator.fact("lease_expired", () => true, since);
    assert.equal((await coordinator.ok("tasks.get.a")).task.status, "available");
  });

  it("can be renewed by its holder meanwhile", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 0 });
    const dying = await coordinator.addWorkers(1, {
      wrapStores: withFaults({
        leases: { write: () => () => Promise.resolve({ kind: "unknown" }) },
      }),
    });
    await coordinator.ok("tasks.create.a");
    await coordinator.ok("tasks.claim.a", { session_id: "s1" });
    await dying.stop();
    await coordinator.addWorkers(1);
    const renewed = await coordinator.ok("tasks.renew.a", { session_id: "s1", attempt: 1 });
    assert.equal(renewed.attempt, 1);
    assert.notEqual(await lastLease(coordinator.connection, "a"), null);
  });
});

describe("a lease that ran out while no worker was there to see it", () => {
  /** A claim of s1 whose lease has run out. Resolves when a worker has started that has only seen that. */
  async function seenLate(
    graceSeconds: number,
  ): Promise<{ coordinator: TestCoordinator; started: number }> {
    const settings = { lease_grace_ms: 200, outage_grace_seconds: graceSeconds };
    const coordinator = await TestCoordinator.start({ workers: 0, settings });
    const first = await coordinator.addWorkers(1);
    await coordinator.ok("tasks.create.a");
    await coordinator.ok("tasks.claim.a", { session_id: "s1", ttl_seconds: 1 });
    await coordinator.fact("lease_granted", () => true, 0);
    await first.stop();
    await leaseMarker(coordinator.connection, "a");
    const started = Date.now();
    await coordinator.addWorkers(2);
    return { coordinator, started };
  }

  it("costs the claim, but not before the grace is over", async () => {
    const late = await seenLate(1);
    await using coordinator = late.coordinator;
    await coordinator.fact("lease_expired", () => true, 0);
    assert.ok(Date.now() - late.started >= 1_000);
    assert.equal((await coordinator.ok("tasks.get.a")).task.last_event.type, "task_expired");
    const kinds = new Set(coordinator.facts.map(({ kind }) => kind));
    assert.ok(!kinds.has("lease_restored"));
  });

  it("does not cost the claim if its holder renews in that time", async () => {
    const late = await seenLate(10);
    await using coordinator = late.coordinator;
    const renewal = { session_id: "s1", attempt: 1, ttl_seconds: 1 };
    assert.equal((await coordinator.ok("tasks.renew.a", renewal)).attempt, 1);
    const { task } = await coordinator.ok("tasks.get.a");
    assert.deepEqual([task.status, task.lease_epoch], ["claimed", 1]);
    // It is like any other lease from now on: its end costs the claim, and at once.
    await coordinator.fact("lease_expired", () => true, 0);
    assert.ok(Date.now() - late.started < 10_000);
  });
});

describe("the lease of an earlier attempt", () => {
  it("does not affect the current claim, even if it is written late or runs out late", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 0 });
    let writeLate: (() => Promise<unknown>) | null = null;
    await coordinator.addWorkers(1, {
      wrapStores: withFaults({
        leases: {
          // The first lease is held back until the task has been claimed again.
          write: (real) => (lease, expected) => {
            if (lease.attempt > 1) return real.write(lease, expected);
            writeLate = () => real.write(lease, expected);
            return Promise.resolve({ kind: "unknown" });
          },
        },
      }),
    });
    await coordinator.ok("tasks.create.a");
    await coordinator.ok("tasks.claim.a", { session_id: "s1", ttl_seconds: 1 });
    await coordinator.ok("tasks.release.a", { session_id: "s1", status: "available" });
    const since = coordinator.facts.length;
    await coordinator.ok("tasks.claim.a", { session_id: "s2", ttl_seconds: 5 });
    await coordinator.fact("lease_granted", ({ attempt }) => attempt === 2, since);
    await (writeLate as (() => Promise<unknown>) | null)?.();
    await ended(coordinator.connection, "1-0.a");
    assert.equal((await stored(coordinator.connection, "2-0.a"))?.session_id, "s2");
    assert.equal((await coordinator.ok("tasks.verify.a", { session_id: "s2" })).holds, true);
  });
});

function expiries(coordinator: TestCoordinator): number {
  return coordinator.facts.filter(
    (fact) => fact.kind === "task_written" && fact.event === "task_expired",
  ).length;
}
