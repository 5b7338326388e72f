/** The options and the connection of an event bus, and its keys that are tasks. */
import assert from "node:assert/strict";
import { describe, it, mock } from "node:test";
import { EventBus, type EventBusConfig, TaskError } from "../../src/index.ts";
import { Library } from "../support/library.ts";
import { takePort } from "../../scripts/lab/ports.ts";
import { TestServer } from "../support/nats-server.ts";
import { errorOf, NotedLog } from "../support/stand-in.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

/** The message with which the options are refused. */
function refusalOf(backend: unknown, config?: unknown): string {
  try {
    new EventBus({ backend, config } as { backend: "nats"; config: EventBusConfig });
  } catch (error) {
    assert.ok(error instanceof TaskError, String(error));
    assert.equal(error.code, "invalid_request");
    return error.message;
  }
  throw new assert.AssertionError({ message: `${JSON.stringify(config)} should be refused` });
}

describe("the options of an event bus", () => {
  it("accept one backend, and the refusal of another one names it", () => {
    for (const backend of ["etcd", "redis", "", undefined, null]) {
      const message = refusalOf(backend, { host: "localhost", port: 2379 });
      assert.match(message, /^backend: .* is not supported, .*: use "nats", .* config\.servers$/);
    }
  });

  it("refuse an unknown option, and name the known ones", () => {
    const config = { servers: ["nats://localhost:4222"], max_reconnect_attempts: 10 };
    const message = refusalOf("nats", config);
    assert.match(
      message,
      /^config\.max_reconnect_attempts: is not an option; .*maxReconnectAttempts/,
    );
    assert.match(refusalOf("nats", { toString: "x" }), /^config\.toString: is not an option/);
  });

  it("refuse values of the wrong type, and name the right one", () => {
    for (const [config, problem] of [
      [{ servers: 4222 }, "config.servers: must be one URL or a list of them"],
      [{ servers: ["nats://a", 1] }, "config.servers: must be one URL or a list of them"],
      [{ maxReconnectAttempts: "10" }, "config.maxReconnectAttempts: must be a number"],
      [{ reconnectTimeWait: null }, "config.reconnectTimeWait: must be a number"],
      [{ token: 7 }, "config.token: must be a string"],
      [{ replicas: "three" }, "config.replicas: must be a number"],
    ] as const) {
      assert.equal(refusalOf("nats", config), problem);
    }
  });

  it("refuse values by which no server can be reached, with the name and the cure", () => {
    for (const [config, problem] of [
      [{ servers: "" }, /^config\.servers: has an empty entry: remove it/],
      [{ servers: [] }, /^config\.servers: must name at least one server/],
      [{ servers: ["nats://a", "ws://b"] }, /^config\.servers: has ws:.*b, but WebSocket is not/],
      [{ servers: "nats://me:s3cret@a" }, /^config\.servers: must not contain .* config\.username/],
      [{ inboxPrefix: "_INBOX.>" }, /^config\.inboxPrefix: must be the beginning of a subject/],
      [{ jsDomain: "a.b" }, /^config\.jsDomain: must be the name of a JetStream domain/],
      [{ reconnectTimeWait: -1 }, /^config\.reconnectTimeWait: must be at least 0$/],
      [{ reconnectTimeWait: NaN }, /^config\.reconnectTimeWait: must be a number$/],
      [{ maxReconnectAttempts: -2 }, /^config\.maxReconnectAttempts: must be at least -1$/],
    ] as const) {
      const message = refusalOf("nats", config);
      assert.match(message, problem);
      assert.ok(!message.includes("s3cret"));
    }
  });

  it("can all be left out", () => {
    const config = { username: undefined, token: undefined };
    for (const options of [{}, { config: {} }, { config }]) {
      assert.equal(new EventBus({ backend: "nats", ...options }).link.isOpen, false);
    }
  });
});

describe("an event bus", () => {
  it("takes one server or a list, of which one must run", async () => {
    await using server = await TestServer.start();
    const elsewhere = `nats://127.0.0.1:${await takePort()}`;
    const several = `${elsewhere}, ${server.url}`;
    for (const servers of [server.url, [server.url], [elsewhere, server.url], several]) {
      await using bus = new EventBus({ backend: "nats", config: { servers, name: "session-1" } });
      assert.equal(await bus.connect(), true);
      assert.equal((await bus.health()).connected, true);
    }
  });

  it("connects once, even if connect is called several times", async () => {
    await using server = await TestServer.start();
    const config = { servers: server.url };
    await using bus = new EventBus({ backend: "nats", config });
    assert.deepEqual(await Promise.all([bus.connect(), bus.connect()]), [true, true]);
    const { connection } = bus.link;
    assert.equal(await bus.connect(), true);
    assert.equal(bus.link.connection, connection);
  });

  it("says what to do if it is used before connect or after disconnect", async () => {
    await using server = await TestServer.start();
    const config = { servers: server.url };
    await using bus = new EventBus({ backend: "nats", config });
    const assertUnusable = async (): Promise<void> => {
      for (const use of [
        () => bus.put("a", 1),
        () => bus.get("a"),
        () => bus.get("tasks/a"),
        () => bus.put("tasks/a", {}),
        () => bus.compareAndSwap("a", null, 1),
        () => bus.delete("a"),
        () => bus.watch("", () => undefined),
      ]) {
        const { message, retryable } = await errorOf(use(), "unavailable");
        assert.match(message, /not connected: call connect\(\) first/);
        assert.equal(retryable, false);
      }
      const { connected, problem } = await bus.health();
      assert.equal(connected, false);
      assert.match(problem ?? "", /call connect\(\) first/);
    };

    await assertUnusable();
    await bus.connect();
    await bus.put("a", "before");
    await bus.disconnect();
    await bus.disconnect();
    await assertUnusable();
    assert.equal(await bus.connect(), true);
    assert.equal(await bus.get("a"), "before");
    assert.equal((await bus.health()).connected, true);
  });

  it("is healthy when it is connected and a coordinator answers", async () => {
    await using service = await TestCoordinator.start();
    await using library = await Library.connect(service);
    const { roundTripMs, ...health } = await library.bus.health();
    assert.deepEqual(health, { connected: true, coordinator: true, problem: null });
    assert.ok(roundTripMs !== null && roundTripMs < 2_000);
    assert.deepEqual(library.complaints, []);
  });

  it("writes to the console unless it is given a logger", async () => {
    const servers = `nats://127.0.0.1:${await takePort()}`;
    const logger = new NotedLog();
    await using bus = new EventBus({ backend: "nats", config: { servers }, logger });
    assert.equal(await bus.connect(), false);
    assert.deepEqual(logger.lines, [{ level: "error", message: (await bus.health()).problem }]);

    const written = mock.method(console, "error", () => undefined);
    await using plain = new EventBus({ backend: "nats", config: { servers } });
    assert.equal(await plain.connect(), false);
    written.mock.restore();
    assert.deepEqual(
      written.mock.calls.map((call) => call.arguments),
      [[(await plain.health()).problem]],
    );
  });
});

describe("a key tasks/<id> of an event bus", () => {
  it("is a task: put creates it if it does not exist", async () => {
    await using service = await TestCoordinator.start();
    await using library = await Library.connect(service);
    const { bus, coordinator } = library;
    assert.equal(await coordinator.claimTask("P0.5.1", "session-1"), false);
    if ((await coordinator.getTaskStatus("P0.5.1")) === null) {
      const task = { task_id: "P0.5.1", status: "available", claimed_by: null };
      assert.equal(await bus.put("tasks/P0.5.1", task), true);
      assert.equal(await bus.put("tasks/P0.5.1", task), false);
    }
    assert.equal(await coordinator.claimTask("P0.5.1", "session-1"), true);
    const record = await bus.get("tasks/P0.5.1");
    assert.deepEqual(record, await coordinator.getTaskStatus("P0.5.1"));
    assert.equal((record as { claimed_by: string }).claimed_by, "session-1");
    assert.equal(await bus.get("tasks/P0.5.2"), null);
  });

  it("takes the definition of a task, also by compareAndSwap that expects none", async () => {
    await using service = await TestCoordinator.start();
    await using library = await Library.connect(service);
    const { bus } = library;
    const task = { title: "B", depends_on: ["a"], status: "blocked" };
    assert.equal(await bus.compareAndSwap("tasks/b", null, task), true);
    assert.equal(await bus.compareAndSwap("tasks/b", null, task), false);
    const { task: created } = await service.ok("tasks.get.b");
    assert.deepEqual([created.title, created.depends_on, created.status], ["B", ["a"], "blocked"]);
  });

  it("refuses a value that is no new task, and names the field", async () => {
    await using service = await TestCoordinator.start();
    await using library = await Library.connect(service);
    for (const [value, field] of [
      [{ status: "claimed" }, "status"],
      [{ status: "complete" }, "status"],
      [{ claimed_by: "session-1" }, "claimed_by"],
      [{ task_id: "b" }, "task_id"],
      [{ titel: "A" }, "titel"],
      [{ attempt: 3 }, "attempt"],
      [{ title: 7 }, "title"],
      ["a text", "value"],
      [["a"], "value"],
      [null, "value"],
      [undefined, "value"],
    ] as const) {
      const { details, message } = await errorOf(
        library.bus.put("tasks/a", value),
        "invalid_request",
      );
      assert.equal(details.field, field, message);
    }
    await errorOf(library.bus.put("tasks/", {}), "invalid_request");
    await errorOf(library.bus.put("tasks/a b", {}), "invalid_request");
    assert.deepEqual((await service.ok("tasks.list")).tasks, []);
  });

  it("has no TTL, and is not swapped, deleted or watched: each error says what to use", async () => {
    await using service = await TestCoordinator.start();
    await using library = await Library.connect(service);
    const { bus } = library;
    await service.ok("tasks.create.a");
    const before = await bus.get("tasks/a");
    for (const [refused, instead] of [
      [bus.put("tasks/b", {}, { ttl: 300 }), /leases that expire; give claimTask .* ttlSeconds/],
      [bus.compareAndSwap("tasks/b", null, {}, { ttl: 300 }), /ttlSeconds/],
      [bus.compareAndSwap("tasks/a", before, { status: "claimed" }), /use claimTask/],
      [bus.delete("tasks/a"), /tasks\.cancel/],
      [bus.watch("tasks/a", () => undefined), /subscribeTaskUpdates/],
    ] as const) {
      assert.match((await errorOf(refused, "invalid_request")).message, instead);
    }
    assert.deepEqual(await bus.get("tasks/a"), before);
    assert.equal(await bus.get("tasks/b"), null);
  });
});
