import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type KvAccess, KvBucket } from "../../src/nats/kv-bucket.ts";
import type { WriteOutcome } from "../../src/service/ports.ts";
import { openKvAccess } from "../support/kv-access.ts";
import { TestServer } from "../support/nats-server.ts";

/** The revision of a write that has to succeed. */
async function revisionOf(write: Promise<WriteOutcome>): Promise<number> {
  const outcome = await write;
  assert.ok(outcome.kind === "written", outcome.kind);
  return outcome.revision;
}

/** Resolves when the bucket has so many messages, markers included. */
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
  it("is 0 while it is empty, and then that of the last message, markers included", async () => {
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

  it("is that of the last message that is left when a marker has removed itself", async () => {
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
