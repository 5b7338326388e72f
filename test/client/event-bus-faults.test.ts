/** An event bus that cannot reach its server or its coordinator. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { describe, it } from "node:test";
import { jetstreamManager } from "@nats-io/jetstream";
import { EventBus } from "../../src/index.ts";
import { Library } from "../support/library.ts";
import { NatsProxy } from "../support/nats-proxy.ts";
import { takePort } from "../../scripts/lab/ports.ts";
import { TestServer } from "../support/nats-server.ts";
import { errorOf, NotedLog } from "../support/stand-in.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

const NO_JETSTREAM = { config: "debug: false", jetstream: false };
const TWO_ACCOUNTS = {
  config: `
    jetstream: enabled
    accounts {
      WITH { jetstream: enabled, users: [{ user: with, password: p }] }
      WITHOUT { users: [{ user: without, password: p }] }
    }`,
};

describe("connect", { concurrency: true }, () => {
  it("is false where nothing listens, and the log says what to do", async () => {
    const logger = new NotedLog();
    const servers = `nats://127.0.0.1:${await takePort()}`;
    await using bus = new EventBus({ backend: "nats", config: { servers }, logger });
    assert.equal(await bus.connect(), false);
    const { problem, ...health } = await bus.health();
    assert.deepEqual(health, { connected: false, coordinator: false, roundTripMs: null });
    assert.match(
      problem ?? "",
      /^cannot connect to NATS at nats:.* \(.*refused.*\): start a server/,
    );
    assert.deepEqual(logger.of("error"), [problem]);
  });

  it("is false for a server that does not answer", async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket)).listen(0, "127.0.0.1");
    await once(silent, "listening");
    try {
      const { port } = silent.address() as AddressInfo;
      const logger = new NotedLog();
      const config = { servers: `127.0.0.1:${port}` };
      await using bus = new EventBus({ backend: "nats", config, logger });
      assert.equal(await bus.connect(), false);
      assert.match(
        logger.of("error").join(),
        /^cannot connect to NATS at .*timeout.*start a server/,
      );
    } finally {
      for (const socket of sockets) socket.destroy();
      silent.close();
    }
  });

  it("is false for a wrong password and a missing file", async () => {
    await using server = await TestServer.start(TWO_ACCOUNTS);
    for (const [config, cure] of [
      [{ username: "with", password: "wrong" }, /check .*password/],
      [{ credsFile: "/nowhere.creds" }, /correct the path/],
    ] as const) {
      const logger = new NotedLog();
      const options = { servers: server.url, ...config };
      await using bus = new EventBus({ backend: "nats", config: options, logger });
      assert.equal(await bus.connect(), false);
      assert.match(logger.of("error").join(), cure);
    }
  });

  it("is true when the server has started", async () => {
    await using server = await TestServer.start();
    await server.kill();
    const logger = new NotedLog();
    const config = { servers: server.url };
    await using bus = new EventBus({ backend: "nats", config, logger });
    assert.equal(await bus.connect(), false);
    await server.restart();
    assert.equal(await bus.connect(), true);
    assert.equal((await bus.health()).connected, true);
  });
});

describe("the health of an event bus", () => {
  it("says that no coordinator runs", async () => {
    await using server = await TestServer.start();
    await using library = await Library.connect(server);
    const { problem, ...health } = await library.bus.health();
    assert.match(problem ?? "", /no coordinator is running there; start one with/);
    assert.ok(health.connected && !health.coordinator && health.roundTripMs !== null);
    assert.deepEqual(library.complaints, []);
  });

  it("distinguishes a server that is silent, one that is stopped, and one that is back", async () => {
    await using service = await TestCoordinator.start();
    await using proxy = await NatsProxy.start(service.server.port);
    await using library = await Library.connect(proxy);
    const { bus } = library;
    const gone = disconnection(bus);
    proxy.cut();
    await gone;
    const { problem, ...health } = await bus.health();
    assert.deepEqual(health, { connected: false, coordinator: false, roundTripMs: null });
    assert.match(problem ?? "", /is lost: it is being made again/);
    const back = new Promise<void>((resolve) => bus.link.onReconnect(resolve));
    proxy.mend();
    await back;
    assert.equal((await bus.health()).problem, null);
    proxy.silenceServer();
    const silent = await bus.health();
    assert.deepEqual([silent.connected, silent.roundTripMs], [false, null]);
    assert.match(silent.problem ?? "", /does not answer within 2000 ms/);
  });

  it("says, as the log does, when the connection is lost for good, and connect makes a new one", async () => {
    await using server = await TestServer.start();
    await using library = await Library.connect(server, { config: { maxReconnectAttempts: 1 } });
    const { bus, log } = library;
    await bus.put("a", 1);
    await server.kill();
    const lost = await log.noted("error", /is lost for good \(.*refused.*\): call connect\(\)/);
    assert.deepEqual(await bus.health(), {
      ...{ connected: false, coordinator: false, roundTripMs: null },
      problem: lost,
    });
    await errorOf(bus.get("a"), "unavailable");
    await server.restart();
    assert.equal(await bus.connect(), true);
    assert.equal(await bus.get("a"), 1);
  });
});

/** Resolves when the connection of the bus is broken. */
async function disconnection(bus: EventBus): Promise<void> {
  for await (const { type } of bus.link.connection.status()) {
    if (type === "disconnect") return;
  }
}

describe("shared state without JetStream", () => {
  it("is refused at once, with the cure", async () => {
    await using server = await TestServer.start(NO_JETSTREAM);
    await using library = await Library.connect(server);
    const { bus } = library;
    const since = performance.now();
    for (const use of [
      () => bus.put("a", 1),
      () => bus.get("a"),
      () => bus.compareAndSwap("a", null, 1),
      () => bus.delete("a"),
      () => bus.watch("", () => undefined),
    ]) {
      const { message, retryable } = await errorOf(use(), "unavailable");
      assert.match(message, /has no JetStream for this account: start it with --jetstream/);
      assert.equal(retryable, false);
    }
    assert.ok(performance.now() - since < 5_000);
  });

  it("does not affect tasks: accounts without JetStream can use them", async () => {
    await using service = await TestCoordinator.start({
      server: { config: accountsSharing("tasks.>") },
      settings: { "nats.username": "with", "nats.password": "p" },
    });
    const config = { username: "without", password: "p" };
    await using library = await Library.connect(service, { config });
    assert.match(
      (await errorOf(library.bus.put("a", 1), "unavailable")).message,
      /no JetStream for this account/,
    );
    assert.equal(await library.bus.put("tasks/a", { title: "A" }), true);
    assert.equal(await library.coordinator.claimTask("a", "session-1"), true);
    assert.equal((await library.bus.health()).problem, null);
  });
});

/** The first account offers these requests to the second, which has no JetStream. */
function accountsSharing(subject: string): string {
  return `
    jetstream: enabled
    no_auth_user: with
    accounts {
      WITH {
        jetstream: enabled, users: [{ user: with, password: p }]
        exports: [{ service: "${subject}" }]
      }
      WITHOUT {
        users: [{ user: without, password: p }]
        imports: [{ service: { account: WITH, subject: "${subject}" } }]
      }
    }`;
}

describe("the bucket of the shared state", () => {
  it("is created once by several sessions that first use it at the same moment", async () => {
    await using server = await TestServer.start();
    const buses = await Promise.all(
      Array.from({ length: 5 }, async () => (await Library.connect(server)).bus),
    );
    await Promise.all(buses.map((bus, i) => bus.put(`key-${i}`, i)));
    const values = await Promise.all(buses.map((bus, i) => bus.get(`key-${(i + 1) % 5}`)));
    assert.deepEqual(values, [1, 2, 3, 4, 0]);
    await Promise.all(buses.map((bus) => bus.disconnect()));
  });

  it("has the replicas of the option, in a cluster with as many servers", async () => {
    await using server = await TestServer.start();
    await using greedy = await Library.connect(server, { config: { replicas: 3 } });
    const { message } = await errorOf(greedy.bus.put("a", 1), "unavailable");
    assert.match(message, /cannot create the bucket "shared" \(replicas > 1 not supported/);
    await using library = await Library.connect(server);
    await library.bus.put("a", 1);
    const jsm = await jetstreamManager(await server.connect());
    assert.equal((await jsm.streams.info("KV_shared")).config.num_replicas, 1);
    // The first session has chosen.
    assert.equal(await greedy.bus.get("a"), 1);
  });

  it("is opened again if the server was away when it was first used", async () => {
    await using server = await TestServer.start();
    await using library = await Library.connect(server);
    const gone = disconnection(library.bus);
    await server.kill();
    await gone;
    const put = library.bus.put("a", 1);
    await server.restart();
    assert.equal(await put, true);
    assert.equal(await library.bus.get("a"), 1);
  });
});
