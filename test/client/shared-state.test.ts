/** Keys and values that sessions share: which are accepted, and which write wins. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type KV, Kvm } from "@nats-io/kv";
import type { EventBus, SharedChange } from "../../src/index.ts";
import { Library } from "../support/library.ts";
import { TestServer } from "../support/nats-server.ts";
import { errorOf } from "../support/stand-in.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

/** Resolves when the key has expired. */
async function expiryOf(bus: EventBus, key: string): Promise<SharedChange> {
  return new Promise((resolve, reject) => {
    bus
      .watch(key, (change) => {
        if (change.operation === "expired") resolve(change);
      })
      .catch(reject);
  });
}

/** The bucket as programs without the library see it. */
async function bucketOf(server: TestServer): Promise<KV> {
  return new Kvm(await server.connect()).open("shared");
}

describe("shared state", () => {
  it("can be put and read below a task", async () => {
    await using service = await TestCoordinator.start();
    await using library = await Library.connect(service);
    const { bus } = library;
    const status = { status: "claimed", session: "session-1" };
    assert.equal(await bus.put("tasks/P0.5.1/status", status), true);
    assert.deepEqual(await bus.get("tasks/P0.5.1/status"), status);
    // The task itself is no shared state.
    assert.equal(await bus.get("tasks/P0.5.1"), null);
    assert.deepEqual((await service.ok("tasks.list")).tasks, []);
  });

  it("is any value that JSON can express, and the same for every session", async () => {
    await using server = await TestServer.start();
    await using library = await Library.connect(server);
    await using other = await Library.connect(server);
    for (const value of [{ a: [1, null, { b: "ü\n" }] }, [], "", "text", 0, -1.5, false, null]) {
      assert.equal(await library.bus.put("k", value), true);
      assert.deepEqual(await other.bus.get("k"), value);
    }
    assert.equal(await other.bus.get("never-put"), null);
  });

  it("is text if a program has put text that is no JSON", async () => {
    await using server = await TestServer.start();
    await using library = await Library.connect(server);
    const { bus } = library;
    await bus.put("x", 1);
    const bucket = await bucketOf(server);
    await bucket.put("x", "hello");
    await bucket.put("y", "");
    assert.equal(await bus.get("x"), "hello");
    assert.equal(await bus.get("y"), "");
    assert.equal(await bus.compareAndSwap("x", "hello", "good bye"), true);
    assert.equal((await bucket.get("x"))?.string(), '"good bye"');
  });

  it("is an error with the path if a program has put a value that would be read as another one", async () => {
    await using server = await TestServer.start();
    await using library = await Library.connect(server);
    const { bus } = library;
    await bus.put("k", 1);
    const bucket = await bucketOf(server);
    for (const [text, path] of [
      ['{"rows":[{"id":1970670598291982290}]}', "rows.0.id"],
      ['["\\ud800"]', "0"],
      ["9007199254740993", ""],
    ] as const) {
      await bucket.put("k", text);
      const uses = [() => bus.get("k"), () => bus.compareAndSwap("k", 1, 2)];
      for (const use of uses) {
        const { message, details } = await errorOf(use(), "corrupt_record");
        assert.match(message, /^the value of k cannot be read exactly: /);
        assert.equal(details.field, path);
      }
      assert.equal((await bucket.get("k"))?.string(), text);
    }
    assert.equal(await bus.delete("k"), true);
  });

  it("refuses values that JSON cannot express", async () => {
    await using server = await TestServer.start();
    await using library = await Library.connect(server);
    const { bus } = library;
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    for (const value of [undefined, 1n, { size: 1n }, circular, Symbol("s"), () => undefined]) {
      for (const [put, field] of [
        [bus.put("k", value), "value"],
        [bus.compareAndSwap("k", null, value), "value"],
      ] as const) {
        const { message, details } = await errorOf(put, "invalid_request");
        assert.match(message, /must be something that JSON can express/);
        assert.equal(details.field, field);
      }
    }
    const { details } = await errorOf(bus.compareAndSwap("k", 1n, 1), "invalid_request");
    assert.equal(details.field, "expected");
    assert.equal(await bus.get("k"), null);
  });

  it("refuses keys that NATS would misread, and TTLs that it would refuse", async () => {
    await using server = await TestServer.start();
    await using library = await Library.connect(server);
    const { bus } = library;
    for (const key of ["", "a b", "a..b", ".a", "a.", "*", "a.>", "k$", "a".repeat(257)]) {
      for (const use of [
        bus.put(key, 1),
        bus.get(key),
        bus.compareAndSwap(key, null, 1),
        bus.delete(key),
      ]) {
        assert.equal((await errorOf(use, "invalid_request")).details.field, "key");
      }
    }
    for (const ttl of [0, -1, 0.5, Number.NaN, Infinity]) {
      for (const use of [bus.put("k", 1, { ttl }), bus.compareAndSwap("k", null, 1, { ttl })]) {
        assert.equal((await errorOf(use, "invalid_request")).details.field, "ttl");
      }
    }
  });

  it("refuses values that are too large for NATS", async () => {
    const config = "jetstream: enabled\nmax_payload: 4096";
    await using server = await TestServer.start({ config });
    await using library = await Library.connect(server);
    const { message } = await errorOf(library.bus.put("k", "x".repeat(5_000)), "too_large");
    assert.match(message, /4096 bytes/);
  });

  it("can be deleted, and delete says whether it existed", async () => {
    await using server = await TestServer.start();
    await using library = await Library.connect(server);
    const { bus } = library;
    assert.equal(await bus.delete("k"), false);
    await bus.put("k", null);
    assert.equal(await bus.delete("k"), true);
    assert.equal(await bus.delete("k"), false);
    assert.equal(await bus.get("k"), null);
    assert.equal(await bus.compareAndSwap("k", null, "again"), true);
    assert.equal(await bus.get("k"), "again");
  });

  it("expires after its TTL, and can be put again", async () => {
    await using server = await TestServer.start();
    await using library = await Library.connect(server);
    const { bus } = library;
    const expired = Promise.all(["put", "swapped"].map((key) => expiryOf(bus, key)));
    await bus.put("put", 1, { ttl: 1 });
    assert.equal(await bus.compareAndSwap("swapped", null, 1, { ttl: 1 }), true);
    await bus.put("stays", 1);
    assert.deepEqual(await Promise.all(["put", "swapped"].map((key) => bus.get(key))), [1, 1]);
    await expired;
    for (const key of ["put", "swapped"]) {
      assert.equal(await bus.get(key), null);
      assert.equal(await bus.delete(key), false);
      assert.equal(await bus.compareAndSwap(key, 1, 2), false);
      assert.equal(await bus.compareAndSwap(key, null, 2), true);
    }
    assert.equal(await bus.get("stays"), 1);
  });
});

describe("compareAndSwap", () => {
  it("has one winner if many try at the same time", async () => {
    await using server = await TestServer.start();
    await using library = await Library.connect(server);
    await using other = await Library.connect(server);
    const buses = Array.from({ length: 50 }, (_, i) => (i % 2 === 0 ? library.bus : other.bus));
    for (const expected of [null, "old"]) {
      const key = `leader-${String(expected)}`;
      if (expected !== null) await other.bus.put(key, expected);
      const won = await Promise.all(buses.map((bus, i) => bus.compareAndSwap(key, expected, i)));
      assert.equal(won.filter(Boolean).length, 1);
      assert.equal(await library.bus.get(key), won.indexOf(true));
    }
  });

  it("counts correctly from several sessions", async () => {
    await using server = await TestServer.start();
    await using library = await Library.connect(server);
    const { bus } = library;
    await bus.put("count", 0);
    const increment = async (): Promise<void> => {
      for (;;) {
        const count = await bus.get("count");
        if (await bus.compareAndSwap("count", count, Number(count) + 1)) return;
      }
    };
    await Promise.all(Array.from({ length: 20 }, increment));
    assert.equal(await bus.get("count"), 20);
  });

  it("compares values, not texts: the order of keys does not matter, that of a list does", async () => {
    await using server = await TestServer.start();
    await using library = await Library.connect(server);
    const { bus } = library;
    await bus.put("k", { b: 2, a: { y: [1, 2], x: 1 } });
    const reordered = { a: { x: 1, y: [1, 2] }, b: 2, c: undefined };
    for (const wrong of [null, {}, { a: 1 }, { ...reordered, b: "2" }, { ...reordered, c: null }]) {
      assert.equal(await bus.compareAndSwap("k", wrong, "no"), false);
    }
    const otherList = { a: { x: 1, y: [2, 1] }, b: 2 };
    assert.equal(await bus.compareAndSwap("k", otherList, "no"), false);
    assert.equal(await bus.compareAndSwap("k", reordered, "yes"), true);
    assert.equal(await bus.get("k"), "yes");
  });

  it("takes null for a missing key, for a deleted key and for the value null", async () => {
    await using server = await TestServer.start();
    await using library = await Library.connect(server);
    const { bus } = library;
    assert.equal(await bus.compareAndSwap("k", null, null), true);
    assert.equal(await bus.compareAndSwap("k", undefined, 1), true);
    assert.equal(await bus.compareAndSwap("k", null, 2), false);
    await (await bucketOf(server)).delete("k");
    assert.equal(await bus.compareAndSwap("k", 1, 2), false);
    assert.equal(await bus.compareAndSwap("k", null, 2), true);
    assert.equal(await bus.get("k"), 2);
  });
});
