/** A watch on shared state delivers all existing keys, then each change once, also after faults. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { jetstreamManager } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import type { EventBus, SharedChange } from "../../src/index.ts";
import { Library } from "../support/library.ts";
import { NatsProxy } from "../support/nats-proxy.ts";
import { TestServer } from "../support/nats-server.ts";

const PATIENCE_MS = 15_000;

/** A watch that notes each change as `<key>=<value>` or `<key> <operation>`. */
class NotedWatch {
  readonly notes: string[] = [];
  readonly changes: SharedChange[] = [];
  stop: () => void = () => undefined;
  readonly #listeners = new Set<() => void>();

  static async on(bus: EventBus, prefix = ""): Promise<NotedWatch> {
    const watch = new NotedWatch();
    watch.stop = await bus.watch(prefix, (change) => {
      watch.#note(change);
    });
    return watch;
  }

  /** Resolves when the change has been noted. */
  async noted(note: string): Promise<void> {
    const over = AbortSignal.timeout(PATIENCE_MS);
    while (!this.notes.includes(note)) {
      await new Promise<void>((resolve, reject) => {
        this.#listeners.add(resolve);
        over.onabort = () => {
          reject(new Error(`no "${note}", only ${this.notes.join(", ")}`));
        };
      });
    }
  }

  #note(change: SharedChange): void {
    const { key, operation, value } = change;
    this.changes.push(change);
    this.notes.push(operation === "put" ? `${key}=${String(value)}` : `${key} ${operation}`);
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
  }
}

/** Resolves when the bus is connected again. */
function reconnection(bus: EventBus): Promise<void> {
  return new Promise((resolve) => bus.link.onReconnect(resolve));
}

describe("a watch on shared state", () => {
  it("leaves out a value that would be read as another one, and logs its path", async () => {
    await using server = await TestServer.start();
    await using library = await Library.connect(server);
    const { bus } = library;
    await bus.put("a", 1);
    const watch = await NotedWatch.on(bus);
    const bucket = await new Kvm(await server.connect()).open("shared");
    await bucket.put("a", '{"id":1970670598291982290}');
    await bus.put("b", 2);
    await watch.noted("b=2");
    assert.deepEqual(watch.notes, ["a=1", "b=2"]);
    assert.ok(library.log.of("error").some((line) => /value of a .*: id: the number/.test(line)));
  });

  it("delivers existing keys, then puts, deletions and expiries, of the keys with the prefix", async () => {
    await using server = await TestServer.start();
    await using library = await Library.connect(server);
    const { bus } = library;
    for (const key of ["a/1", "a/2", "b/1"]) await bus.put(key, key);
    await bus.put("a/gone", 1);
    await bus.delete("a/gone");

    const watch = await NotedWatch.on(bus, "a/");
    await watch.noted("a/2=a/2");
    await bus.put("a/1", "new");
    await bus.put("b/1", "new");
    await bus.delete("a/2");
    await bus.put("a/3", "short", { ttl: 1 });
    await watch.noted("a/3 expired");
    const expected = ["a/1=a/1", "a/2=a/2", "a/1=new", "a/2 deleted", "a/3=short", "a/3 expired"];
    assert.deepEqual(watch.notes, expected);
    const revisions = watch.changes.map(({ revision }) => revision);
    assert.deepEqual(
      revisions,
      [...revisions].sort((x, y) => x - y),
    );
    assert.deepEqual(watch.changes.at(-1)?.value, null);
  });

  it("delivers what other programs put and delete", async () => {
    await using server = await TestServer.start();
    await using library = await Library.connect(server);
    const watch = await NotedWatch.on(library.bus);
    const bucket = await new Kvm(await server.connect()).open("shared");
    await bucket.put("x", "hello");
    await bucket.put("y", "[1,2]");
    await watch.noted("y=1,2");
    await bucket.delete("x");
    await bucket.purge("y");
    await watch.noted("y deleted");
    assert.deepEqual(watch.notes, ["x=hello", "y=1,2", "x deleted", "y deleted"]);
  });

  it("delivers many changes to every watcher, in order", async () => {
    await using server = await TestServer.start();
    await using library = await Library.connect(server);
    await using other = await Library.connect(server);
    const watches = [await NotedWatch.on(library.bus), await NotedWatch.on(other.bus)];
    const keys = Array.from({ length: 300 }, (_, i) => `key-${i}`);
    for (const key of keys) void library.bus.put(key, 1);
    for (const watch of watches) {
      await watch.noted("key-299=1");
      assert.deepEqual(
        watch.notes,
        keys.map((key) => `${key}=1`),
      );
    }
  });

  it("delivers after a reconnect, once, what was changed or removed meanwhile", async () => {
    await using server = await TestServer.start();
    await using proxy = await NatsProxy.start(server.port);
    await using library = await Library.connect(proxy);
    await using other = await Library.connect(server);
    for (const key of ["same", "changed", "deleted", "purged", "recreated"])
      await other.bus.put(key, 1);
    await other.bus.put("expired", 1, { ttl: 1 });
    const watch = await NotedWatch.on(library.bus);
    const nearby = await NotedWatch.on(other.bus);
    await watch.noted("expired=1");
    const before = watch.notes.length;

    proxy.cut();
    await other.bus.put("changed", 2);
    await other.bus.put("new", 1);
    await other.bus.delete("deleted");
    await other.bus.delete("recreated");
    await other.bus.put("recreated", 2);
    // As after a long time, when the marker has been removed too.
    const jsm = await jetstreamManager(await server.connect());
    await jsm.streams.purge("KV_shared", { filter: "$KV.shared.purged" });
    await nearby.noted("expired expired");
    proxy.mend();
    await watch.noted("purged deleted");
    assert.deepEqual(watch.notes.slice(before).sort(), [
      "changed=2",
      "deleted deleted",
      "expired expired",
      "new=1",
      "purged deleted",
      "recreated=2",
    ]);

    await other.bus.put("same", 2);
    await watch.noted("same=2");
    assert.equal(watch.notes.length, before + 7);
  });

  it("continues after the server was killed and started again", async () => {
    await using server = await TestServer.start();
    await using proxy = await NatsProxy.start(server.port);
    await using library = await Library.connect(proxy);
    await using other = await Library.connect(server);
    for (const key of ["same", "changed", "deleted"]) await other.bus.put(key, 1);
    const watch = await NotedWatch.on(library.bus);
    await watch.noted("deleted=1");

    proxy.cut();
    const back = reconnection(other.bus);
    await server.kill();
    await server.restart();
    await back;
    await other.bus.put("changed", 2);
    await other.bus.delete("deleted");
    proxy.mend();
    await watch.noted("changed=2");
    await watch.noted("deleted deleted");
    await other.bus.put("same", 2);
    await watch.noted("same=2");
    assert.deepEqual(watch.notes.slice(3).sort(), ["changed=2", "deleted deleted", "same=2"]);
  });

  it("delivers nothing twice if nothing has changed while the server was away", async () => {
    await using server = await TestServer.start();
    await using library = await Library.connect(server);
    const { bus } = library;
    for (const key of ["a", "b"]) await bus.put(key, 1);
    const watch = await NotedWatch.on(bus);
    await watch.noted("b=1");
    for (let times = 1; times <= 2; times++) {
      const back = reconnection(bus);
      await server.kill();
      await server.restart();
      await back;
      await bus.put(`after-${times}`, 1);
      await watch.noted(`after-${times}=1`);
    }
    assert.deepEqual(watch.notes, ["a=1", "b=1", "after-1=1", "after-2=1"]);
  });

  it("logs an error of its callback, and continues", async () => {
    await using server = await TestServer.start();
    await using library = await Library.connect(server);
    const { bus, log } = library;
    await bus.watch("", ({ key }) => {
      if (key === "a") throw new Error("thrown");
      return Promise.reject(new Error("rejected"));
    });
    await bus.put("a", 1);
    await bus.put("b", 1);
    await log.noted("error", /^the callback of watch\(""\) failed: Error: thrown\n +at /);
    await log.noted("error", /^the callback of watch\(""\) failed: Error: rejected\n +at /);
  });

  it("ends when it is stopped, and with the connection", async () => {
    await using server = await TestServer.start();
    await using library = await Library.connect(server);
    const { bus } = library;
    const [stopped, going] = [await NotedWatch.on(bus), await NotedWatch.on(bus)];
    await bus.put("a", 1);
    await stopped.noted("a=1");
    stopped.stop();
    stopped.stop();
    await bus.put("b", 1);
    await going.noted("b=1");
    assert.deepEqual(stopped.notes, ["a=1"]);

    await bus.disconnect();
    await bus.connect();
    const next = await NotedWatch.on(bus);
    await bus.put("c", 1);
    await next.noted("c=1");
    assert.deepEqual(next.notes, ["a=1", "b=1", "c=1"]);
    assert.deepEqual(going.notes, ["a=1", "b=1"]);
    assert.deepEqual(library.complaints, []);
  });
});
