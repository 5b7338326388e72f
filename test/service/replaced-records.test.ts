import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Kvm } from "@nats-io/kv";
import { TestCoordinator } from "../support/test-coordinator.ts";

/** A claimed task at its second attempt. Then its record is replaced by hand: attempts start again. */
async function replaced(): Promise<TestCoordinator> {
  const coordinator = await TestCoordinator.start({
    workers: 2,
    settings: { lease_grace_ms: 200 },
  });
  await coordinator.ok("tasks.create.a");
  await coordinator.ok("tasks.claim.a", { session_id: "s1" });
  await coordinator.ok("tasks.release.a", { session_id: "s1", status: "available" });
  const granted = coordinator.fact("lease_granted", ({ attempt }) => attempt === 2);
  await coordinator.ok("tasks.claim.a", { session_id: "s1" });
  await granted;
  const kv = await new Kvm(coordinator.connection).open("tasks");
  await kv.put("a", '{"title":"again"}');
  return coordinator;
}

describe("a record that was replaced by hand while its task was claimed", () => {
  it("loses the lease of its former claim", async () => {
    await using coordinator = await replaced();
    await coordinator.until("tasks.stats", ({ leases }) => leases === 0);
    const { task } = await coordinator.ok("tasks.get.a");
    assert.deepEqual([task.title, task.status, task.attempt], ["again", "available", 0]);
    const late = { session_id: "s1", attempt: 2 };
    assert.equal((await coordinator.refused("tasks.renew.a", late)).code, "lease_lost");
  });

  it("can be claimed at once, and the new claim gets its own lease, which can run out", async () => {
    await using coordinator = await replaced();
    const since = coordinator.facts.length;
    const claim = { session_id: "s2", ttl_seconds: 1 };
    const { attempt } = await coordinator.ok("tasks.claim.a", claim);
    assert.equal(attempt, 1);
    await coordinator.fact("lease_restored", (fact) => fact.attempt === 1, since);
    await coordinator.ok("tasks.renew.a", { session_id: "s2", attempt: 1 });
    await coordinator.fact("lease_expired", (fact) => fact.attempt === 1, since);
    const { task } = await coordinator.ok("tasks.get.a");
    assert.deepEqual([task.status, task.lost_leases], ["available", 1]);
  });
});
