import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TaskError } from "../../src/index.ts";
import { TestServer } from "../support/nats-server.ts";
import { NatsProxy } from "../support/nats-proxy.ts";
import { UpdateClient } from "../support/observed-updates.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

const ALL = "task-updates.>";

/** How many subscriptions the connection has at the server, when the server has received all of its messages. */
async function subscriptions(client: UpdateClient, proxy: NatsProxy): Promise<number> {
  assert.equal((await client.bus.health()).connected, true);
  return proxy.subscriptionsTo(ALL);
}

describe("the subscriptions of a connection", () => {
  it("share one stream of messages, which ends with the last subscription", async () => {
    await using coordinator = await TestCoordinator.start();
    await using proxy = await NatsProxy.start(coordinator.server.port);
    await using client = await UpdateClient.connect(proxy.url);
    assert.equal(await subscriptions(client, proxy), 0);
    const all = await Promise.all(
      Array.from({ length: 50 }, (_, i) => client.observe(i % 2 === 0 ? {} : { since: 0 })),
    );
    assert.equal(await subscriptions(client, proxy), 1);
    const { revision } = await coordinator.ok("tasks.create.a");
    await Promise.all(all.map((seen) => seen.until(revision)));

    const last = all.pop();
    for (const seen of all) client.coordinator.unsubscribe(seen.id);
    assert.equal(await subscriptions(client, proxy), 1);
    client.coordinator.unsubscribe(last?.id ?? "");
    assert.equal(await subscriptions(client, proxy), 0);

    const again = await client.observe();
    assert.equal(await subscriptions(client, proxy), 1);
    await coordinator.ok("tasks.create.b");
    await again.until(2);
    await client.coordinator.stop();
    assert.equal(await subscriptions(client, proxy), 0);
  });

  it("still share one stream after a reconnect", async () => {
    await using coordinator = await TestCoordinator.start();
    await using proxy = await NatsProxy.start(coordinator.server.port);
    await using client = await UpdateClient.connect(proxy.url);
    const all = [await client.observe(), await client.observe()];
    for (let revision = 1; revision <= 3; revision++) {
      proxy.cut();
      await coordinator.ok("tasks.create");
      proxy.mend();
      await Promise.all(all.map((seen) => seen.until(revision)));
    }
    assert.equal(await subscriptions(client, proxy), 1);
    for (const seen of all) client.coordinator.unsubscribe(seen.id);
    assert.equal(await subscriptions(client, proxy), 0);
  });

  it("leave no stream behind if they cannot be made", async () => {
    await using server = await TestServer.start();
    await using proxy = await NatsProxy.start(server.port);
    await using client = await UpdateClient.connect(proxy.url);
    await assert.rejects(client.observe(), (error) => {
      assert.ok(error instanceof TaskError, String(error));
      assert.equal(error.code, "unavailable");
      return true;
    });
    assert.equal(await subscriptions(client, proxy), 0);
  });

  it("end with the event bus, which can be connected and subscribed to again", async () => {
    await using coordinator = await TestCoordinator.start();
    await using client = await UpdateClient.connect(coordinator.server.url);
    const before = await client.observe();
    await coordinator.ok("tasks.create.a");
    await before.until(1);
    await client.bus.disconnect();
    await assert.rejects(client.observe(), /not connected/);
    assert.equal(await client.bus.connect(), true);
    const after = await client.observe();
    await coordinator.ok("tasks.create.b");
    await after.until(2);
    assert.deepEqual(before.revisions, [1]);
    assert.deepEqual(client.logged, []);
  });
});
