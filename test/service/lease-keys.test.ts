/** Leases on a real server, by their keys: what others find in the bucket, and what they may do there. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { jetstreamManager } from "@nats-io/jetstream";
import { type KV, Kvm } from "@nats-io/kv";
import { ended, stored } from "../support/stored-leases.ts";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

function bucket(coordinator: TestCoordinator, name: string): Promise<KV> {
  return new Kvm(coordinator.connection).open(name);
}

/** The subjects of all messages of a bucket, also of those that are gone. */
async function written(
  coordinator: TestCoordinator,
  name: string,
): Promise<{ count: number; keys: string[] }> {
  const jsm = await jetstreamManager(coordinator.connection);
  const { state } = await jsm.streams.info(`KV_${name}`, { subjects_filter: ">" });
  const keys = Object.keys(state.subjects ?? {}).map((subject) => subject.split(".").slice(2));
  return { count: state.last_seq, keys: keys.map((tokens) => tokens.join(".")).sort() };
}

describe("a lease that a person removes", () => {
  it("returns the task to the pool, as if the time had run out", async () => {
    for (const method of ["delete", "purge"] as const) {
      await using coordinator = await TestCoordinator.start({ workers: 2 });
      await coordinator.ok("tasks.create.a");
      await coordinator.ok("tasks.claim.a", { session_id: "s1" });
      await coordinator.ok("tasks.renew.a", { session_id: "s1" });
      await coordinator.until("tasks.stats", ({ leases }) => leases === 1);
      const expired = coordinator.fact("lease_expired");
      await (await bucket(coordinator, "leases"))[method]("1-0.a");
      await expired;
      const { task } = await coordinator.ok("tasks.get.a");
      assert.deepEqual([task.status, task.last_event.reason], ["available", "lease expired"]);
    }
  });
});

describe("a short task", () => {
  it("costs two writes and never has a lease", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 2 });
    const session = { session_id: "s1" };
    for (const id of ["short", "long"]) await coordinator.ok(`tasks.create.${id}`);
    const before = await written(coordinator, "tasks");
    await coordinator.ok("tasks.claim.short", session);
    await coordinator.ok("tasks.release.short", { ...session, status: "complete" });
    assert.equal((await written(coordinator, "tasks")).count - before.count, 2);
    // The lease of a later claim is written after that of the short task would have been.
    const granted = coordinator.fact("lease_granted");
    await coordinator.ok("tasks.claim.long", session);
    await granted;
    assert.deepEqual(await written(coordinator, "leases"), { count: 1, keys: ["1-0.long"] });
  });
});

describe("a task that was removed and created again", () => {
  it("keeps its new claim although the key of the lease has been used, without any grace", async () => {
    await using coordinator = await TestCoordinator.start({
      settings: { outage_grace_seconds: 0 },
    });
    await coordinator.ok("tasks.create.a");
    await coordinator.ok("tasks.claim.a", { session_id: "s1" });
    await coordinator.ok("tasks.renew.a", { session_id: "s1" });
    await coordinator.ok("tasks.release.a", { session_id: "s1", status: "complete" });
    await ended(coordinator.connection, "1-0.a");
    await (await bucket(coordinator, "tasks")).purge("a");
    await coordinator.until("tasks.get.a", ({ error }) => error?.code === "not_found");
    await coordinator.ok("tasks.create.a");
    // These have seen the marker before there is a claim that it could belong to.
    await coordinator.addWorkers(2);

    const claim = { session_id: "s2", ttl_seconds: 60 };
    const { attempt, fencing_token } = await coordinator.ok("tasks.claim.a", claim);
    assert.equal(attempt, 1);
    const renewed = await coordinator.until("tasks.get.a", ({ task }) => task.lease_epoch === 1);
    assert.equal(renewed.task.claimed_by, "s2");
    await coordinator.until("tasks.stats", ({ leases }) => leases === 1);
    const lease = await stored(coordinator.connection, "1-1.a");
    assert.deepEqual([lease.session_id, lease.fencing_token], ["s2", fencing_token]);
    const { entries } = await coordinator.ok("tasks.history.a");
    const events = entries.slice(-3).map((entry: Json) => entry.task.last_event.type);
    assert.deepEqual(events, ["task_created", "task_claimed", "task_renewed"]);
    assert.equal((await coordinator.ok("tasks.verify.a", { fencing_token })).holds, true);
  });
});

describe("the leases of version 0.1", () => {
  it("are removed at the start, and their claims get new ones", async () => {
    await using coordinator = await TestCoordinator.start({
      workers: 0,
      settings: { lease_grace_ms: 200 },
    });
    const first = await coordinator.addWorkers(1);
    await first.stop();
    const held = { status: "claimed", claimed_by: "s1", attempt: 3, ttl_seconds: 60 };
    await (await bucket(coordinator, "tasks")).put("a", JSON.stringify(held));
    const old = { session_id: "s1", attempt: 3, ttl_seconds: 60, confirmed: true };
    await (await bucket(coordinator, "leases")).put("a", JSON.stringify(old));

    const restored = coordinator.fact("lease_restored");
    await coordinator.addWorkers(2);
    await ended(coordinator.connection, "a");
    assert.equal((await restored).attempt, 3);
    assert.equal((await stored(coordinator.connection, "3-0.a")).session_id, "s1");
    const renewal = { session_id: "s1", attempt: 3 };
    assert.equal((await coordinator.ok("tasks.renew.a", renewal)).attempt, 3);
  });
});
