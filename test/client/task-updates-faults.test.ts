import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { NatsProxy } from "../support/nats-proxy.ts";
import { UpdateClient } from "../support/observed-updates.ts";
import { SteadyWriter } from "../support/steady-writer.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

const NO_TRIMMING = { settings: { history: 64 } };
/** More than a page of changes, and more than one packet. */
const MANY = Array.from({ length: 600 }, (_, i) => ({ task_id: `task-${i}` }));

describe("a subscription whose connection is cut", () => {
  it("continues where it was, several times, while other sessions write", async () => {
    await using coordinator = await TestCoordinator.start(NO_TRIMMING);
    await using proxy = await NatsProxy.start(coordinator.server.port);
    await using client = await UpdateClient.connect(proxy.url);
    await using writing = await UpdateClient.connect(coordinator.server.url);
    const now = await client.observe();
    const beginning = await client.observe({ since: "beginning" }, () => new Promise(setImmediate));
    const writer = new SteadyWriter(writing);
    for (let i = 0; i < 5; i++) {
      await writer.untilWritten(20);
      proxy.cut();
      await writer.untilWritten(20);
      proxy.mend();
    }
    await writer.untilWritten(20);
    const last = await writer.stop();
    for (const seen of [now, beginning]) {
      await seen.until(last);
      await seen.assertIsHistory(coordinator.connection);
    }
    const complaints = client.logged.filter(
      (line) => !/^(the connection|connected) to NATS/.test(line),
    );
    assert.deepEqual(complaints, []);
  });

  it("gets at once the last updates that it has missed, without a later message", async () => {
    await using coordinator = await TestCoordinator.start(NO_TRIMMING);
    await using proxy = await NatsProxy.start(coordinator.server.port);
    await using client = await UpdateClient.connect(proxy.url);
    const seen = await client.observe();
    await coordinator.ok("tasks.create.a");
    await seen.until(1);
    proxy.cut();
    await coordinator.ok("tasks.create.b");
    proxy.mend();
    await seen.until(2);
    await seen.assertIsHistory(coordinator.connection);
  });

  it("so shortly that nothing was missed, gets nothing twice", async () => {
    await using coordinator = await TestCoordinator.start(NO_TRIMMING);
    await using proxy = await NatsProxy.start(coordinator.server.port);
    await using client = await UpdateClient.connect(proxy.url);
    const seen = await client.observe();
    for (let revision = 1; revision <= 5; revision++) {
      await coordinator.ok("tasks.create");
      await seen.until(revision);
      const back = untilBack(client);
      proxy.cut();
      proxy.mend();
      await back;
    }
    await coordinator.ok("tasks.create");
    await seen.until(6);
    await seen.assertIsHistory(coordinator.connection);
  });

  for (const [moment, cutAt] of [
    ["asked for", (proxy: NatsProxy, cut: () => void) => proxy.untilClientSays(ASKING).then(cut)],
    ["on its way", (proxy: NatsProxy, cut: () => void) => proxy.untilServerSays(PAGE).then(cut)],
  ] as const) {
    it(`while a page of the changes is ${moment}, reads the page again`, async () => {
      await using coordinator = await TestCoordinator.start(NO_TRIMMING);
      await using proxy = await NatsProxy.start(coordinator.server.port);
      await using client = await UpdateClient.connect(proxy.url);
      await coordinator.ok("tasks.import", { tasks: MANY });
      let cuts = 0;
      const cutNext = (): void => {
        void cutAt(proxy, () => {
          proxy.cut();
          proxy.mend();
          if (++cuts < 3) cutNext();
        });
      };
      cutNext();
      const seen = await client.observe({ since: "beginning" });
      await seen.until(MANY.length);
      await coordinator.ok("tasks.create.last");
      await seen.until(MANY.length + 1);
      await seen.assertIsHistory(coordinator.connection);
      assert.equal(cuts, 3);
    });
  }
});

const ASKING = "PUB tasks.changes ";
/** How the reply to such a request begins. */
const PAGE = '"changes":[{';

describe("a subscription", () => {
  it("survives a server that is killed during writes and comes back", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 2, ...NO_TRIMMING });
    const { server } = coordinator;
    await using client = await UpdateClient.connect(server.url);
    await using writing = await UpdateClient.connect(server.url);
    const all = [
      await client.observe(),
      await client.observe({}, () => new Promise(setImmediate)),
      await client.observe({ since: "beginning" }),
    ];
    const writer = new SteadyWriter(writing);
    for (let i = 0; i < 2; i++) {
      await writer.untilWritten(50);
      await server.kill();
      await server.restart();
    }
    await writer.untilWritten(50);
    const last = await writer.stop();
    for (const seen of all) {
      await seen.until(last);
      await seen.assertIsHistory(coordinator.connection);
    }
  });

  it("waits for a coordinator, before and while it catches up", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 0, ...NO_TRIMMING });
    const first = await coordinator.addWorkers(1);
    await coordinator.ok("tasks.import", { tasks: MANY });
    await first.stop();

    await using client = await UpdateClient.connect(coordinator.server.url);
    let amid = (): void => undefined;
    let go: Promise<unknown> = Promise.resolve();
    const seen = await client.observe({ since: "beginning" }, ({ revision }) => {
      if (revision !== 100) return;
      amid();
      return go;
    });
    await logs(client, "nobody answers");
    go = new Promise((resolve) => {
      amid = () => {
        resolve(second.then((app) => app.stop()));
      };
    });
    const second = coordinator.addWorkers(1);
    await seen.until(250);
    await coordinator.addWorkers(1);
    await seen.until(MANY.length);
    await seen.assertIsHistory(coordinator.connection);
  });
});

/** Resolves after a reconnect. */
async function untilBack(client: UpdateClient): Promise<void> {
  await new Promise<void>((resolve) => {
    const forget = client.bus.link.onReconnect(() => {
      forget();
      resolve();
    });
  });
}

async function logs(client: UpdateClient, words: string): Promise<void> {
  while (!client.logged.some((line) => line.includes(words))) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
