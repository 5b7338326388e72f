import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { KvBucket } from "../../src/nats/kv-bucket.ts";
import { openKvAccess } from "../support/kv-access.ts";
import { TestServer } from "../support/nats-server.ts";
import { NotedWatch } from "../support/noted-watch.ts";

describe("the watch on a bucket under load", () => {
  it("delivers all writes of another connection under load, in order", async () => {
    await using server = await TestServer.start();
    const writer = new KvBucket("tasks", await openKvAccess(await server.connect()));
    const watch = new NotedWatch();
    const stoppable = await watch.start(await openKvAccess(await server.connect()));
    const keys = Array.from({ length: 100 }, (_ignored, n) => `k${n}`);
    const rounds = 30;
    const writeAll = async (key: string): Promise<void> => {
      for (let revision = 0, round = 1; round <= rounds; round++) {
        const outcome = await writer.write(key, String(round), revision);
        assert.ok(outcome.kind === "written");
        revision = outcome.revision;
      }
    };
    await Promise.all(keys.map(writeAll));
    await Promise.all(keys.map((key) => watch.noted(`${key}=${rounds}`)));
    const each = Array.from({ length: rounds }, (_ignored, n) => String(n + 1));
    for (const key of keys) {
      const values = watch.notes.flatMap((note) =>
        note.startsWith(`${key}=`) ? [note.slice(key.length + 1)] : [],
      );
      assert.deepEqual(values, each, key);
    }
    await stoppable.stop();
  });

  it("does not delay what somebody waits for", async () => {
    await using server = await TestServer.start();
    const access = await openKvAccess(await server.connect());
    const watch = new NotedWatch();
    // This watch asks again a minute after each answer.
    const pace = { busyMessages: 1, windowMs: 60_000, newsMs: 60_000, ownMs: 60_000 };
    const bucket = new KvBucket("tasks", { ...access, pace });
    const stoppable = await watch.startOn(bucket);
    for (const [index, key] of ["a", "b", "c"].entries()) {
      await bucket.write(key, "1", 0);
      assert.equal(await bucket.lastRevision(), index + 1);
      await watch.noted(`${key}=1`);
    }
    await stoppable.stop();
  });
});
