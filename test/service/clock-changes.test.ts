/** Somebody sets the clock of a worker's machine. Due times and grace periods do not change with it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { leaseMarker } from "../support/stored-leases.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

const HOUR_MS = 3_600_000;
/** Timers of different processes are not exact. */
const TOLERANCE_MS = 50;

describe("a worker whose clock is set", () => {
  it("back by an hour, grants leases and takes claims back as before", async () => {
    let offset = 0;
    await using coordinator = await TestCoordinator.start({
      clock: { now: () => Date.now() + offset },
    });
    await coordinator.ok("tasks.create.a");
    const granted = coordinator.fact("lease_granted");
    // The lease of this claim is due in a second.
    await coordinator.ok("tasks.claim.a", { session_id: "s1", ttl_seconds: 6 });
    offset = -HOUR_MS;
    await granted;
    const expired = coordinator.fact("lease_expired");
    await coordinator.ok("tasks.renew.a", { session_id: "s1", ttl_seconds: 1 });
    await expired;
    assert.equal((await coordinator.ok("tasks.get.a")).task.status, "available");
  });

  it("forward by an hour, spares a holder for the whole grace period", async () => {
    const settings = { outage_grace_seconds: 2, lease_grace_ms: 1_000 };
    await using coordinator = await TestCoordinator.start({ workers: 0, settings });
    const first = await coordinator.addWorkers(1);
    await coordinator.ok("tasks.create.a");
    const granted = coordinator.fact("lease_granted");
    await coordinator.ok("tasks.claim.a", { session_id: "s1", ttl_seconds: 1 });
    await granted;
    await first.stop();
    await leaseMarker(coordinator.connection, "a");

    let offset = 0;
    const expired = coordinator.fact("lease_expired");
    const startedAt = performance.now();
    await coordinator.addWorkers(1, { clock: { now: () => Date.now() + offset } });
    offset = HOUR_MS;
    // The worker looks at the task again.
    await coordinator.ok("tasks.update.a", { title: "new" });
    await expired;
    const waited = performance.now() - startedAt;
    assert.ok(waited >= 2_000 - TOLERANCE_MS, `${Math.round(waited)} ms`);
  });
});
