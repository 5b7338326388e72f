import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { jetstreamManager } from "@nats-io/jetstream";
import { headers } from "@nats-io/transport-node";
import { KvBucket } from "../../src/nats/kv-bucket.ts";
import { LeaderReads } from "../../src/nats/leader-reads.ts";
import { openKvAccess } from "../support/kv-access.ts";
import { NatsProxy } from "../support/nats-proxy.ts";
import { TestServer } from "../support/nats-server.ts";

describe("a read from the leader", () => {
  it("finds the last entry of a key with its headers, and nothing for another key", async () => {
    await using server = await TestServer.start();
    const access = await openKvAccess(await server.connect());
    const bucket = new KvBucket("tasks", access);
    await bucket.write("a", "1", 0);
    await bucket.write("a", "zwei ü", 1, { writeId: "w-1" });
    const found = await bucket.load("a");
    assert.deepEqual(
      [found?.key, found?.revision, found?.operation, found?.text, found?.writeId],
      ["a", 2, "put", "zwei ü", "w-1"],
    );
    assert.ok(Math.abs((found?.writtenAt ?? 0) - Date.now()) < 60_000);
    assert.equal(await bucket.load("b"), null);
    await bucket.purge("a", 2);
    assert.equal((await bucket.load("a"))?.operation, "removed");
  });

  it("finds what the library finds, also an entry without headers or with foreign ones", async () => {
    await using server = await TestServer.start();
    const connection = await server.connect();
    const { jsm, reads } = await openKvAccess(connection);
    const foreign = headers();
    foreign.append("Colour", "red");
    foreign.append("Colour", "blue");
    connection.publish("$KV.tasks.plain", '{"title":"x"}');
    connection.publish("$KV.tasks.empty", "");
    connection.publish("$KV.tasks.foreign", "\u00fc", { headers: foreign });
    await connection.flush();
    for (const key of ["plain", "empty", "foreign"]) {
      const subject = `$KV.tasks.${key}`;
      const ours = await reads.lastOf("KV_tasks", subject);
      const theirs = await jsm.streams.getMessage("KV_tasks", { last_by_subj: subject });
      assert.ok(ours !== null && theirs !== null);
      assert.deepEqual(
        [ours.subject, ours.seq, ours.time, ours.string(), ours.header?.values("Colour") ?? []],
        [theirs.subject, theirs.seq, theirs.time, theirs.string(), theirs.header.values("Colour")],
      );
      assert.deepEqual(Buffer.from(ours.data), Buffer.from(theirs.data));
    }
  });

  it("fails with the server's reason if there is no such stream", async () => {
    await using server = await TestServer.start();
    const { reads } = await openKvAccess(await server.connect());
    await assert.rejects(reads.lastOf("KV_nothing", "$KV.nothing.a"), { message: /not found/ });
  });

  it("fails if no answer comes in time, and at once if the reads have been stopped", async () => {
    await using server = await TestServer.start();
    await using proxy = await NatsProxy.start(server.port);
    const connection = await server.connect({ servers: proxy.url });
    const jsm = await jetstreamManager(connection);
    const reads = new LeaderReads(connection, jsm, 200);
    proxy.silenceServer();
    const unanswered = { message: "no answer came" };
    await assert.rejects(reads.lastOf("KV_tasks", "$KV.tasks.a"), unanswered);
    const pending = reads.lastOf("KV_tasks", "$KV.tasks.a");
    reads.stop();
    await assert.rejects(pending, unanswered);
    await assert.rejects(reads.lastOf("KV_tasks", "$KV.tasks.a"), unanswered);
  });
});
