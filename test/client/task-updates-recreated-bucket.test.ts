import { mkdir, rm } from "node:fs/promises";
import { describe, it } from "node:test";
import { jetstreamManager } from "@nats-io/jetstream";
import { NatsProxy } from "../support/nats-proxy.ts";
import { type ObservedUpdates, UpdateClient } from "../support/observed-updates.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

/** Creates so many tasks, one revision each. */
async function create(coordinator: TestCoordinator, prefix: string, count: number): Promise<void> {
  const tasks = Array.from({ length: count }, (_, i) => ({ task_id: `${prefix}${i}` }));
  await coordinator.ok("tasks.import", { tasks });
}

/** Deletes the bucket. A new worker creates another one. */
async function replaceBucket(coordinator: TestCoordinator): Promise<void> {
  const { streams } = await jetstreamManager(coordinator.connection);
  await streams.delete("KV_tasks");
  await coordinator.addWorkers(1);
}

/** Checks that the subscriber has all of the new bucket, and that the first update reports missing ones. */
async function assertBeganAnew(
  seen: ObservedUpdates,
  coordinator: TestCoordinator,
  before: number,
) {
  seen.seen.splice(0, before);
  await seen.assertIsHistory(coordinator.connection, { gapsBefore: [1] });
}

describe("a bucket that was created again", () => {
  it("is followed from its beginning by a connected subscriber", async () => {
    await using coordinator = await TestCoordinator.start();
    await using client = await UpdateClient.connect(coordinator.server.url);
    const seen = await client.observe();
    await create(coordinator, "old-", 20);
    await seen.until(20);
    await replaceBucket(coordinator);
    await create(coordinator, "new-", 3);
    await seen.untilSeen(({ task_id }) => task_id === "new-2", "new-2");
    await assertBeganAnew(seen, coordinator, 20);
  });

  it("is followed by a subscriber that had read the old bucket, without live messages", async () => {
    await using coordinator = await TestCoordinator.start();
    await using client = await UpdateClient.connect(coordinator.server.url);
    await create(coordinator, "old-", 20);
    const seen = await client.observe({ since: "beginning" });
    await seen.until(20);
    await replaceBucket(coordinator);
    await create(coordinator, "new-", 30);
    await seen.untilSeen(({ task_id }) => task_id === "new-29", "new-29");
    await assertBeganAnew(seen, coordinator, 20);
  });

  it("is followed by a subscriber that was away, even if it has more revisions than the old bucket", async () => {
    await using coordinator = await TestCoordinator.start();
    await using proxy = await NatsProxy.start(coordinator.server.port);
    await using client = await UpdateClient.connect(proxy.url);
    const seen = await client.observe();
    await create(coordinator, "old-", 3);
    await seen.until(3);
    proxy.cut();
    await replaceBucket(coordinator);
    await create(coordinator, "new-", 10);
    proxy.mend();
    await seen.untilSeen(({ task_id }) => task_id === "new-9", "new-9");
    await assertBeganAnew(seen, coordinator, 3);
  });

  it("is followed on a server that came back with an empty store", async () => {
    await using coordinator = await TestCoordinator.start();
    const { server } = coordinator;
    await using client = await UpdateClient.connect(server.url);
    const seen = await client.observe();
    await create(coordinator, "old-", 5);
    await seen.until(5);
    await server.kill();
    await rm(server.storeDir, { recursive: true });
    await mkdir(server.storeDir);
    await server.restart();
    await coordinator.addWorkers(1);
    const { tasks } = client.coordinator;
    for (let i = 0; i < 5; i++) await tasks.create(`new-${i}`, {}, { timeoutMs: 500 });
    await seen.untilSeen(({ task_id }) => task_id === "new-4", "new-4");
    await assertBeganAnew(seen, coordinator, 5);
  });
});
