import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BusConnection } from "../../src/client/bus-connection.ts";
import { TaskClient } from "../../src/client/task-client.ts";
import { compileFilter, type Since } from "../../src/client/update-filter.ts";
import { UpdateFeed } from "../../src/client/update-feed.ts";
import { withFaults } from "../support/faulty-stores.ts";
import { NatsProxy } from "../support/nats-proxy.ts";
import { ObservedUpdates, UpdateClient } from "../support/observed-updates.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

const SILENCE_MS = 50;

/** A connection whose feed checks after a short silence. */
class Feed implements AsyncDisposable {
  readonly logged: string[] = [];
  readonly link: BusConnection;
  readonly feed: UpdateFeed;

  private constructor(link: BusConnection) {
    const log = (message: string): void => {
      this.logged.push(message);
    };
    const logger = { debug: () => undefined, warn: log, error: log };
    this.link = link;
    this.feed = new UpdateFeed(link, new TaskClient(link, { logger }), logger, SILENCE_MS);
  }

  static async connect(url: string, user?: string): Promise<Feed> {
    const credentials = user === undefined ? {} : { username: user, password: user };
    const link = new BusConnection({ servers: [url], reconnectTimeWait: 0.02, ...credentials });
    await link.connect();
    return new Feed(link);
  }

  async observe(since: Since): Promise<ObservedUpdates> {
    const seen = new ObservedUpdates();
    const filter = compileFilter({});
    await this.feed.subscribe({ callback: seen.add, onRemoved: seen.add, filter }, since);
    return seen;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.feed.stop();
    await this.link.disconnect();
  }
}

describe("the feed of updates", () => {
  it("finds lost messages at the end, on a connection that never broke", async () => {
    await using coordinator = await TestCoordinator.start();
    await using proxy = await NatsProxy.start(coordinator.server.port);
    await using client = await Feed.connect(proxy.url);
    const all = [await client.observe("now"), await client.observe("beginning")];
    await coordinator.ok("tasks.create.a");
    await Promise.all(all.map((seen) => seen.until(1)));
    const lost = proxy.untilServerSays("task-updates.b");
    proxy.silenceServer();
    await coordinator.ok("tasks.create.b");
    await lost;
    proxy.endSilence();
    for (const seen of all) {
      await seen.until(2);
      await seen.assertIsHistory(coordinator.connection);
    }
  });

  it("finds lost messages in between with the next message", async () => {
    await using coordinator = await TestCoordinator.start();
    await using proxy = await NatsProxy.start(coordinator.server.port);
    await using client = await UpdateClient.connect(proxy.url);
    const seen = await client.observe();
    await coordinator.ok("tasks.create.a");
    await seen.until(1);
    const lost = proxy.untilServerSays("task-updates.b");
    proxy.silenceServer();
    await coordinator.ok("tasks.create.b");
    await lost;
    proxy.endSilence();
    await coordinator.ok("tasks.create.c");
    await seen.until(3);
    await seen.assertIsHistory(coordinator.connection);
  });

  it("misses nothing that is written while a coordinator answers", async () => {
    let interfere: (() => Promise<unknown>) | null = null;
    await using coordinator = await TestCoordinator.start({
      wrapStores: withFaults({
        tasks: {
          lastRevision: (real) => async () => {
            const revision = await real.lastRevision();
            const now = interfere;
            interfere = null;
            await now?.();
            return revision;
          },
        },
      }),
    });
    await using client = await UpdateClient.connect(coordinator.server.url);
    await coordinator.ok("tasks.create.a");
    interfere = async () => {
      await coordinator.ok("tasks.create.b");
      // The worker has received it.
      await coordinator.ok("tasks.stats");
    };
    const seen = await client.observe({ since: 1 });
    await coordinator.until("tasks.stats", () => interfere === null);
    await coordinator.ok("tasks.create.c");
    await seen.until(3);
    await seen.assertIsHistory(coordinator.connection, { after: 1 });
  });

  it("says so if it may not subscribe, and asks for the updates that it does not receive", async () => {
    await using coordinator = await TestCoordinator.start({ server: { config: ACCOUNTS } });
    await using client = await Feed.connect(coordinator.server.url, "deaf");
    const seen = await client.observe("now");
    for (const id of ["a", "b"]) await coordinator.ok(`tasks.create.${id}`);
    await seen.until(2);
    await seen.assertIsHistory(coordinator.connection);
    assert.match(client.logged.join("\n"), /updates come late.*task-updates/);
  });

  it("says so if it may not send requests, and does not give up", async () => {
    await using coordinator = await TestCoordinator.start({ server: { config: ACCOUNTS } });
    await using client = await Feed.connect(coordinator.server.url, "mute");
    await client.observe("beginning");
    await assert.rejects(client.observe("now"), /not permit/);
    assert.match(client.logged.join("\n"), /updates are delayed.*not permit/);
    assert.doesNotMatch(client.logged.join("\n"), /ended/);
  });

  it("delivers a live record that is too large for a reply, and otherwise leaves it out", async () => {
    await using coordinator = await TestCoordinator.start();
    await using client = await UpdateClient.connect(coordinator.server.url);
    const live = await client.observe();
    await coordinator.ok("tasks.create.a");
    await live.until(1);
    const title = "x".repeat(1024 * 1024 - 50);
    await coordinator.connection.request("$KV.tasks.big", JSON.stringify({ title }));
    await coordinator.ok("tasks.create.b");
    await live.until(3);
    await live.assertIsHistory(coordinator.connection);
    const late = await client.observe({ since: "beginning" });
    const fromNow = await client.observe();
    await late.until(3);
    await coordinator.ok("tasks.create.c");
    for (const seen of [late, fromNow]) await seen.until(4);
    assert.deepEqual(late.revisions, [1, 3, 4]);
    assert.deepEqual(
      late.updates.map((update) => update.transitions_missing),
      [false, true, false],
    );
    assert.match(client.logged.join("\n"), /too large/);
  });
});

/** A client without a user may do everything. */
const ACCOUNTS = `
  jetstream: enabled
  no_auth_user: all
  authorization {
    users: [
      { user: all, password: all }
      { user: deaf, password: deaf, permissions: { subscribe: { deny: "task-updates.>" } } }
      { user: mute, password: mute, permissions: { publish: { deny: ["tasks.changes", "tasks.stats"] } } }
    ]
  }
`;
