/** Markers of leases that a worker has not seen alive: whether they are those of the claim, or of an earlier task. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Kvm } from "@nats-io/kv";
import { headers } from "@nats-io/transport-node";
import { withFaults } from "../support/faulty-stores.ts";
import { NatsProxy } from "../support/nats-proxy.ts";
import { ended, leaseMarker } from "../support/stored-leases.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

/** Writes an entry as a worker does that has died since. */
async function put(
  { connection }: TestCoordinator,
  key: string,
  value: object,
  ttl?: string,
): Promise<void> {
  const options = { headers: headers(), timeout: 5_000 };
  if (ttl !== undefined) options.headers.set("Nats-TTL", ttl);
  await connection.request(`$KV.${key}`, JSON.stringify(value), options);
}

describe("a worker that has written a lease without learning of it", () => {
  it("takes the claim back after the end of that lease, and does not begin it again", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 0 });
    await using proxy = await NatsProxy.start(coordinator.server.port);
    let isLost = false;
    let claimed = (): void => undefined;
    const isClaimed = new Promise<void>((resolve) => (claimed = resolve));
    await coordinator.addWorkers(1, {
      settings: { "nats.servers": [proxy.url], outage_grace_seconds: 1, lease_grace_ms: 500 },
      wrapStores: withFaults({
        leases: {
          write: (real) => async (lease, expected) => {
            if (isLost) return real.write(lease, expected);
            isLost = true;
            await isClaimed;
            proxy.cut();
            const record = {
              ...{ session_id: lease.sessionId, attempt: lease.attempt, epoch: lease.epoch },
              ...{ fencing_token: lease.fencingToken, ttl_seconds: 1 },
              ...{ confirmed: false, progress: null },
            };
            // The server stores the lease, and the acknowledgement is lost with the connection.
            await put(coordinator, "leases.1-0.a", record, "1s");
            return { kind: "unknown" };
          },
        },
      }),
    });
    await coordinator.ok("tasks.create.a");
    await coordinator.ok("tasks.claim.a", { session_id: "s1", ttl_seconds: 1 });
    claimed();
    await leaseMarker(coordinator.connection, "a");
    const expired = coordinator.fact("lease_expired");
    proxy.mend();
    await expired;
    assert.deepEqual(await coordinator.eventsOf("a"), [
      "task_created",
      "task_claimed",
      "task_expired",
    ]);
  });
});

describe("a new task under the id of an earlier one", () => {
  it("keeps its claim at every worker that knew the marker before, also if a clock is wrong", async () => {
    await using coordinator = await TestCoordinator.start({
      settings: { lease_grace_ms: 300, outage_grace_seconds: 0 },
    });
    const holder = { session_id: "s1" };
    await coordinator.ok("tasks.create.a");
    await coordinator.ok("tasks.claim.a", holder);
    await coordinator.ok("tasks.renew.a", holder);
    await coordinator.ok("tasks.release.a", { ...holder, status: "complete" });
    await ended(coordinator.connection, "1-0.a");
    await (await new Kvm(coordinator.connection).open("tasks")).purge("a");
    await coordinator.until("tasks.get.a", ({ error }) => error?.code === "not_found");

    const restored = coordinator.fact("lease_restored");
    // Another worker, whose clock is late, creates the task and claims it. It dies before it writes a lease.
    const created = { created_at: "2020-01-01T00:00:00.000Z" };
    await put(coordinator, "tasks.a", { ...created, status: "available" });
    const claim = { status: "claimed", claimed_by: "s2", attempt: 1, fencing_token: 9 };
    await put(coordinator, "tasks.a", { ...created, ...claim });
    await restored;
    const { task } = await coordinator.ok("tasks.get.a");
    assert.deepEqual([task.status, task.claimed_by, task.lease_epoch], ["claimed", "s2", 1]);
  });
});
