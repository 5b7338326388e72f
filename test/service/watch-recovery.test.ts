import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

/** Deletes the consumers, as if the cluster node that ran them died while the connection is to another. */
async function deleteConsumers(connection: NatsConnection): Promise<number> {
  const { consumers } = await jetstreamManager(connection);
  let count = 0;
  for (const stream of ["KV_tasks", "KV_leases", "KV_sessions", "KV_principals"]) {
    for await (const { name } of consumers.list(stream)) {
      await consumers.delete(stream, name);
      count++;
    }
  }
  return count;
}

describe("a worker whose watches the server has ended", () => {
  it("begins them again within seconds, so leases expire and lists are complete", async () => {
    // Without watches for a moment, the workers then take no claim back for a while.
    const settings = { outage_grace_seconds: 1 };
    await using coordinator = await TestCoordinator.start({ workers: 2, settings });
    await coordinator.ok("tasks.create.a");
    await coordinator.ok("tasks.create.b", { depends_on: ["a"] });
    const granted = coordinator.fact("lease_granted");
    await coordinator.ok("tasks.claim.a", { session_id: "s1", ttl_seconds: 2 });
    await granted;

    const since = coordinator.facts.length;
    assert.equal(await deleteConsumers(coordinator.connection), 8);
    await coordinator.ok("tasks.create.c");
    const list = await coordinator.until("tasks.list", isAnswered);
    assert.deepEqual(
      list.tasks.map((task: Json) => task.task_id),
      ["a", "b", "c"],
    );
    await coordinator.fact("outage_grace", () => true, since);
    await coordinator.fact("lease_expired", () => true, since);
    assert.equal((await coordinator.ok("tasks.get.a")).task.last_event.type, "task_expired");

    // The watches go on: each worker sees what the other one writes.
    await coordinator.ok("tasks.claim.a", { session_id: "s2" });
    await coordinator.ok("tasks.release.a", { session_id: "s2", status: "complete" });
    const workers = new Set<string>();
    await coordinator.until("tasks.stats", (stats) => {
      if (!isAnswered(stats)) return false;
      assert.equal(stats.tasks.complete, 1);
      // The unblocking comes a moment after the completion.
      if (stats.tasks.available !== 2 || stats.leases !== 0) return false;
      workers.add(stats.worker.id as string);
      return workers.size === 2;
    });
  });
});

/** A worker that lags behind says so and never shows an incomplete list. */
function isAnswered({ ok, error }: Json): boolean {
  if (ok !== true) assert.equal(error.code, "unavailable");
  return ok === true;
}
