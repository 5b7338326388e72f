import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Kvm } from "@nats-io/kv";
import { ended, stored } from "../support/stored-leases.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

/** A task that s1 claimed for so many seconds. Then its record is replaced by hand: attempts begin again. */
async function replaced(seconds: number, workers: number): Promise<TestCoordinator> {
  const coordinator = await TestCoordinator.start({ workers });
  await coordinator.ok("tasks.create.a");
  const granted = coordinator.fact("lease_granted");
  await coordinator.ok("tasks.claim.a", { session_id: "s1", ttl_seconds: seconds });
  await granted;
  const kv = await new Kvm(coordinator.connection).open("tasks");
  await kv.put("a", '{"title":"again"}');
  await coordinator.until("tasks.get.a", ({ task }) => task.title === "again");
  return coordinator;
}

describe("a record that was replaced by hand while its task was claimed", () => {
  it("leaves the lease of its former claim to its TTL, and refuses the former holder", async () => {
    await using coordinator = await replaced(1, 2);
    const { task } = await coordinator.ok("tasks.get.a");
    assert.deepEqual([task.title, task.status, task.attempt], ["again", "available", 0]);
    const late = { session_id: "s1", attempt: 1 };
    assert.equal((await coordinator.refused("tasks.renew.a", late)).code, "lease_lost");
    await ended(coordinator.connection, "1-0.a");
    assert.equal((await coordinator.ok("tasks.get.a")).task.lost_leases, 0);
  });

  it("can be claimed at once, and the new claim gets its own lease, which can run out", async () => {
    await using coordinator = await replaced(60, 1);
    const since = coordinator.facts.length;
    const claim = await coordinator.ok("tasks.claim.a", { session_id: "s2", ttl_seconds: 1 });
    assert.equal(claim.attempt, 1);
    // The key of the former lease is in use, so the lease of this claim is in the next epoch. The worker knows
    // that it is its own claim, and so also the connection that the claim may name.
    await coordinator.fact("lease_granted", (fact) => fact.attempt === 1, since);
    await ended(coordinator.connection, "1-0.a");
    const lease = await stored(coordinator.connection, "1-1.a");
    assert.deepEqual([lease?.session_id, lease?.fencing_token], ["s2", claim.fencing_token]);
    await coordinator.fact("lease_expired", (fact) => fact.attempt === 1, since);
    const { task } = await coordinator.ok("tasks.get.a");
    assert.deepEqual([task.status, task.lost_leases], ["available", 1]);
  });
});
