import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { type KV, Kvm } from "@nats-io/kv";
import type { NatsConnection, NodeConnectionOptions } from "@nats-io/transport-node";
import type { KvAccess } from "../../src/nats/kv-access.ts";
import { KvBucket } from "../../src/nats/kv-bucket.ts";
import { NatsProxy } from "../support/nats-proxy.ts";
import { openKvAccess } from "../support/kv-access.ts";
import { TestServer } from "../support/nats-server.ts";
import { NotedWatch } from "../support/noted-watch.ts";

const PATIENCE_MS = 15_000;

async function openAccess(
  server: TestServer,
  options: NodeConnectionOptions = {},
): Promise<KvAccess> {
  return openKvAccess(await server.connect(options));
}

function openBucket(connection: NatsConnection): Promise<KV> {
  return new Kvm(connection).open("tasks");
}

describe("the watch on a bucket", () => {
  it("is current at once if the bucket is empty", async () => {
    await using server = await TestServer.start();
    const watch = new NotedWatch();
    const stoppable = await watch.start(await openAccess(server));
    assert.deepEqual(watch.notes, ["restarted", "current"]);
    await stoppable.stop();
  });

  it("delivers the last entry of each key, becomes current, and then delivers each change", async () => {
    await using server = await TestServer.start();
    const access = await openAccess(server);
    const bucket = await openBucket(access.connection);
    for (const [key, value] of ["a1", "b1", "a2", "c1"].map((text) => [text.charAt(0), text])) {
      await bucket.put(key ?? "", value ?? "");
    }
    await bucket.delete("c");
    const watch = new NotedWatch();
    const stoppable = await watch.start(access);
    await watch.noted("current");
    assert.deepEqual(watch.notes, ["restarted", "b=b1", "a=a2", "c removed", "current"]);
    await bucket.put("a", "a3");
    await bucket.purge("b");
    await watch.noted("b removed");
    assert.deepEqual(watch.notes.slice(5), ["a=a3", "b removed"]);
    await stoppable.stop();
  });

  it("distinguishes entries that expired from those that were removed", async () => {
    await using server = await TestServer.start();
    const access = await openAccess(server);
    const watch = new NotedWatch();
    const stoppable = await watch.start(access, "leases");
    const bucket = new KvBucket("leases", access);
    await bucket.write("short", "1", 0, { ttlSeconds: 1 });
    const outcome = await bucket.write("ended", "1", 0);
    assert.ok(outcome.kind === "written");
    await bucket.purge("ended", outcome.revision);
    await watch.noted("short expired");
    assert.ok(watch.notes.includes("ended removed"));
    await stoppable.stop();
  });

  it("begins again after the server was killed and restarted", async () => {
    await using server = await TestServer.start();
    const access = await openAccess(server);
    const bucket = await openBucket(access.connection);
    await bucket.put("a", "1");
    const watch = new NotedWatch();
    const stoppable = await watch.start(access);
    await watch.noted("current");
    for (let crash = 1; crash <= 3; crash++) {
      const before = watch.notes.length;
      await server.kill();
      await server.restart();
      await watch.noted("current", before);
      const again = watch.notes.slice(before);
      // An attempt that came too early may have begun, and been abandoned.
      assert.deepEqual(again.slice(again.lastIndexOf("restarted")), [
        "restarted",
        `a=${crash}`,
        "current",
      ]);
      await bucket.put("a", String(crash + 1));
      await watch.noted(`a=${crash + 1}`, before);
    }
    await stoppable.stop();
  });

  it("begins again after the bucket was removed and created again, and reports that its content is gone", async () => {
    await using server = await TestServer.start();
    const access = await openAccess(server);
    await (await openBucket(access.connection)).put("a", "1");
    const watch = new NotedWatch();
    const stoppable = await watch.start(access);
    await watch.noted("current");
    const { config } = await access.jsm.streams.info("KV_tasks");
    await access.jsm.streams.delete("KV_tasks");
    const before = watch.notes.length;
    await access.jsm.streams.add(config);
    await watch.noted("current", before);
    assert.ok(
      watch.failures.some((failure) =>
        String(failure).includes("KV_tasks was removed and created again"),
      ),
    );
    await stoppable.stop();
  });

  it("reports an interruption as soon as the connection is lost", async () => {
    await using server = await TestServer.start();
    await using proxy = await NatsProxy.start(server.port);
    const watch = new NotedWatch();
    const stoppable = await watch.start(await openAccess(server, { servers: proxy.url }));
    await watch.noted("current");
    const before = watch.notes.length;
    proxy.cut();
    await watch.noted("restarted", before);
    proxy.mend();
    await watch.noted("current", before);
    await stoppable.stop();
  });

  it("delivers each change once and in order, in spite of many reconnects", async () => {
    await using server = await TestServer.start();
    await using proxy = await NatsProxy.start(server.port);
    const bucket = await openBucket((await openAccess(server)).connection);
    const watch = new NotedWatch();
    const stoppable = await watch.start(await openAccess(server, { servers: proxy.url }));
    for (let i = 0; i < 10; i++) {
      const before = watch.notes.length;
      proxy.cut();
      await bucket.put("a", String(i));
      proxy.mend();
      await watch.noted("current", before);
      await bucket.put("b", String(i));
      await watch.noted(`b=${i}`, before);
      assert.equal(watch.notes.filter((note) => note === `b=${i}`).length, 1);
    }
    await stoppable.stop();
  });

  it("goes on after an entry on which its handler fails, and reports the failure", async () => {
    await using server = await TestServer.start();
    const access = await openAccess(server);
    const watch = new NotedWatch();
    watch.onEntry = ({ key }) => {
      if (key === "bad") throw new Error("cannot take this");
    };
    const stoppable = await watch.start(access);
    const bucket = await openBucket(access.connection);
    await bucket.put("bad", "1");
    await bucket.put("good", "1");
    await watch.noted("good=1");
    assert.match(String(watch.failures[0]), /cannot take this/);
    assert.equal(watch.failures.length, 1);
    await stoppable.stop();
  });

  it("delivers nothing after it is stopped, not even after a reconnect", async () => {
    await using server = await TestServer.start();
    const access = await openAccess(server);
    const stopped = new NotedWatch();
    const stoppable = await stopped.start(access);
    await stoppable.stop();
    const count = stopped.notes.length;
    const other = new NotedWatch();
    await other.start(access);
    const before = other.notes.length;
    await server.kill();
    await server.restart();
    await other.noted("current", before);
    await (await openBucket(access.connection)).put("a", "1");
    await other.noted("a=1");
    assert.equal(stopped.notes.length, count);
    assert.deepEqual(stopped.failures, []);
  });
});

describe("the watch on a connection that is closed", () => {
  it("ends with the connection, and leaves no timer behind", async () => {
    await using server = await TestServer.start();
    const access = await openAccess(server);
    const watch = new NotedWatch();
    await watch.start(access);
    assert.ok(timers() > 0);
    await access.connection.close();
    const notes = [...watch.notes];
    const deadline = Date.now() + PATIENCE_MS;
    while (timers() > 0) {
      assert.ok(Date.now() < deadline, "it goes on trying");
      // Unlike a watch, this does not keep the process alive.
      await delay(50, undefined, { ref: false });
    }
    assert.ok(watch.failures.length <= 1, String(watch.failures));
    assert.deepEqual(watch.notes, notes);
  });
});

/** Timers that keep the process alive. */
function timers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
}

describe("a watch that begins while older messages are removed", () => {
  it("is not current before the last key", async () => {
    await using server = await TestServer.start();
    const access = await openKvAccess(await server.connect());
    const bucket = new KvBucket("tasks", access);
    const unwritten = Array.from({ length: 5_000 }, (_, n) => `k${n}`);
    const written: { readonly key: string; readonly last: number }[] = [];
    // So many messages that the server waits for flow control.
    const text = "x".repeat(2_000);
    const write = async (): Promise<void> => {
      for (let key = unwritten.pop(); key !== undefined; key = unwritten.pop()) {
        const first = await bucket.write(key, "old", 0);
        assert.ok(first.kind === "written");
        const second = await bucket.write(key, text, first.revision);
        assert.ok(second.kind === "written");
        written.push({ key, last: second.revision });
      }
    };
    await Promise.all(Array.from({ length: 16 }, write));

    const count = written.length;
    let isCurrent = false;
    // Begins with the keys that the watch reaches last.
    const remove = async (): Promise<void> => {
      for (let next = written.pop(); next !== undefined && !isCurrent; next = written.pop()) {
        const older = { filter: `$KV.tasks.${next.key}`, seq: next.last };
        await access.jsm.streams.purge(bucket.stream, older);
      }
    };
    const removing = Array.from({ length: 16 }, remove);
    const watch = new NotedWatch();
    const watching = await watch.start(access);
    await watch.noted("current");
    isCurrent = true;
    await Promise.all(removing);
    await watching.stop();
    const before = watch.notes.slice(0, watch.notes.indexOf("current"));
    assert.equal(before.filter((note) => note.endsWith(text)).length, count);
  });
});
