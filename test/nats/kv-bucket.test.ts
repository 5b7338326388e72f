import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { KvAccess } from "../../src/nats/kv-access.ts";
import { KvBucket } from "../../src/nats/kv-bucket.ts";
import type { KvMessage } from "../../src/nats/kv-message.ts";
import type { WriteOutcome } from "../../src/service/ports.ts";
import { openKvAccess } from "../support/kv-access.ts";
import { TestServer } from "../support/nats-server.ts";

/** The revision of a write that must succeed. */
async function revisionOf(write: Promise<WriteOutcome>): Promise<number> {
  const outcome = await write;
  assert.ok(outcome.kind === "written", outcome.kind);
  return outcome.revision;
}

function historyOf(bucket: KvBucket, key: string): Promise<KvMessage[]> {
  return bucket.messagesAfter(0, { entries: 64, bytes: Infinity }, key);
}

/** Resolves when the bucket has the given number of messages, markers included. */
async function messagesLeft({ jsm }: KvAccess, { stream }: KvBucket, count: number): Promise<void> {
  const deadline = Date.now() + 15_000;
  for (;;) {
    const { state } = await jsm.streams.info(stream);
    if (state.messages === count) return;
    assert.ok(Date.now() < deadline, `${state.messages} messages instead of ${count}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe("the last revision of a bucket", () => {
  it("is 0 for an empty bucket, otherwise that of the last message, which may be a marker", async () => {
    await using server = await TestServer.start();
    const access = await openKvAccess(await server.connect());
    const bucket = new KvBucket("tasks", access);
    assert.equal(await bucket.lastRevision(), 0);
    const a = await revisionOf(bucket.write("a", "1", 0));
    assert.equal(await bucket.lastRevision(), a);
    const b = await revisionOf(bucket.write("b", "1", 0));
    assert.deepEqual([a, b, await bucket.lastRevision()], [1, 2, 2]);
    assert.equal(await revisionOf(bucket.purge("a", a)), 3);
    assert.equal(await bucket.lastRevision(), 3);
  });

  it("is that of the last remaining message after a marker has removed itself", async () => {
    await using server = await TestServer.start();
    const access = await openKvAccess(await server.connect());
    const bucket = new KvBucket("leases", access, 1);
    const kept = await revisionOf(bucket.write("kept", "1", 0));
    const ended = await revisionOf(bucket.write("ended", "1", 0));
    await revisionOf(bucket.purge("ended", ended));
    assert.equal(await bucket.lastRevision(), 3);
    await messagesLeft(access, bucket, 1);
    assert.equal(await bucket.lastRevision(), kept);

    await revisionOf(bucket.purge("kept", kept));
    await messagesLeft(access, bucket, 0);
    assert.equal(await bucket.lastRevision(), 0);
    assert.equal(await revisionOf(bucket.write("new", "1", 0)), 5);
    assert.equal(await bucket.lastRevision(), 5);
  });
});

describe("the messages of a key", () => {
  it("are read from the leader one by one, from a revision on", async () => {
    await using server = await TestServer.start();
    const bucket = new KvBucket("tasks", await openKvAccess(await server.connect()));
    assert.equal(await bucket.loadFrom("key", 1), null);
    const first = await revisionOf(bucket.write("key", "1", 0));
    await revisionOf(bucket.write("other", "1", 0));
    const second = await revisionOf(bucket.write("key", "2", first, { writeId: "w" }));
    const from = async (revision: number) => {
      const message = await bucket.loadFrom("key", revision);
      return message === null ? null : [message.key, message.revision, message.text];
    };
    assert.deepEqual(await from(1), ["key", first, "1"]);
    assert.deepEqual(await from(first + 1), ["key", second, "2"]);
    assert.equal((await bucket.loadFrom("key", second))?.writeId, "w");
    assert.equal(await from(second + 1), null);
  });
});

describe("dropping the history of a key", () => {
  it("removes all messages before the last one by one, and none of other keys", async () => {
    await using server = await TestServer.start();
    const access = await openKvAccess(await server.connect());
    const bucket = new KvBucket("tasks", access);
    const advisories = access.connection.subscribe("$JS.EVENT.ADVISORY.API");
    const revisions = { key: 0, other: 0 };
    for (const text of ["1", "2", "3"]) {
      for (const key of ["key", "other"] as const) {
        revisions[key] = await revisionOf(bucket.write(key, text, revisions[key]));
      }
    }
    await bucket.dropHistory("key", revisions.key);
    const left = async (key: string): Promise<string[]> =>
      (await historyOf(bucket, key)).map(({ text }) => text);
    assert.deepEqual(await left("key"), ["3"]);
    assert.deepEqual(await left("other"), ["1", "2", "3"]);

    // This purge removes nothing. It shows where the others end.
    await access.jsm.streams.purge(bucket.stream, { filter: "$KV.tasks.none" });
    const removed: number[] = [];
    for await (const msg of advisories) {
      const { subject, response } = msg.json<{ subject: string; response: string }>();
      if (!subject.startsWith("$JS.API.STREAM.PURGE.")) continue;
      const { purged } = JSON.parse(response) as { purged: number };
      if (purged === 0) break;
      removed.push(purged);
    }
    assert.deepEqual(removed, [1, 1]);
  });

  it("removes nothing if the key was written meanwhile", async () => {
    await using server = await TestServer.start();
    const bucket = new KvBucket("tasks", await openKvAccess(await server.connect()));
    const first = await revisionOf(bucket.write("key", "1", 0));
    const second = await revisionOf(bucket.write("key", "2", first));
    await revisionOf(bucket.write("key", "3", second));
    await bucket.dropHistory("key", second);
    assert.equal((await historyOf(bucket, "key")).length, 3);
  });

  it("removes nothing of a key that is written before its marker", async () => {
    await using server = await TestServer.start();
    const bucket = new KvBucket("tasks", await openKvAccess(await server.connect()));
    const first = await revisionOf(bucket.write("key", "1", 0));
    const second = await revisionOf(bucket.write("key", "2", first));
    await bucket.dropHistory("key", second);
    await revisionOf(bucket.write("key", "3", second));
    assert.deepEqual(await bucket.purge("key", second), { kind: "conflict" });
    assert.deepEqual(
      (await historyOf(bucket, "key")).map(({ text }) => text),
      ["2", "3"],
    );
  });

  it("may be done by several workers at once", async () => {
    await using server = await TestServer.start();
    const bucket = new KvBucket("tasks", await openKvAccess(await server.connect()));
    let last = 0;
    for (const text of ["1", "2", "3", "4"])
      last = await revisionOf(bucket.write("key", text, last));
    await Promise.all([1, 2, 3].map(() => bucket.dropHistory("key", last)));
    const outcomes = await Promise.all([1, 2, 3].map(() => bucket.purge("key", last)));
    assert.equal(outcomes.filter(({ kind }) => kind === "written").length, 1);
    const history = await historyOf(bucket, "key");
    assert.deepEqual(
      history.map(({ operation }) => operation),
      ["removed"],
    );
  });
});
