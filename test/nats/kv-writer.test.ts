import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { KvWriter } from "../../src/nats/kv-writer.ts";
import { makeBuckets } from "../support/kv-access.ts";
import { NatsProxy } from "../support/nats-proxy.ts";
import { TestServer } from "../support/nats-server.ts";

const PATIENT_MS = 10_000;
const IMPATIENT_MS = 200;

/** A server with the buckets, and a writer on a connection of its own. */
class Bench implements AsyncDisposable {
  readonly server: TestServer;
  readonly connection: NatsConnection;
  readonly jsm: JetStreamManager;
  readonly writer: KvWriter;

  private constructor(
    server: TestServer,
    connection: NatsConnection,
    jsm: JetStreamManager,
    timeoutMs: number,
  ) {
    this.server = server;
    this.connection = connection;
    this.jsm = jsm;
    this.writer = new KvWriter(connection, timeoutMs);
  }

  static async start(timeoutMs = PATIENT_MS): Promise<Bench> {
    const server = await TestServer.start();
    const connection = await server.connect();
    const jsm = await jetstreamManager(connection);
    await makeBuckets(jsm);
    return new Bench(server, connection, jsm, timeoutMs);
  }

  write(
    key: string,
    payload: string,
    expectedRevision: number,
    more: { ttlSeconds?: number; purge?: boolean } = {},
  ): ReturnType<KvWriter["write"]> {
    return this.writer.write({ subject: `$KV.tasks.${key}`, payload, expectedRevision, ...more });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.writer.stop();
    await this.server[Symbol.asyncDispose]();
  }
}

describe("a compare-and-set", () => {
  it("writes if the revision is the expected one, and returns the new one", async () => {
    await using bench = await Bench.start();
    assert.deepEqual(await bench.write("a", "1", 0), { kind: "written", revision: 1 });
    assert.deepEqual(await bench.write("b", "1", 0), { kind: "written", revision: 2 });
    assert.deepEqual(await bench.write("a", "2", 1), { kind: "written", revision: 3 });
    const entry = await (await new Kvm(bench.connection).open("tasks")).get("a");
    assert.deepEqual([entry?.string(), entry?.revision], ["2", 3]);
  });

  it("is a conflict on any other revision, and changes nothing", async () => {
    await using bench = await Bench.start();
    await bench.write("a", "1", 0);
    await bench.write("a", "2", 1);
    for (const wrong of [0, 1]) {
      assert.deepEqual(await bench.write("a", "no", wrong), { kind: "conflict" });
    }
    for (const [key, wrong] of [
      ["a", 3],
      ["new", 7],
    ] as const) {
      assert.equal((await bench.write(key, "no", wrong)).kind, "conflict");
    }
    const bucket = await new Kvm(bench.connection).open("tasks");
    assert.deepEqual([(await bucket.get("a"))?.string(), await bucket.get("new")], ["2", null]);
  });

  it("is in doubt if the server does not have the expected revision yet", async () => {
    await using bench = await Bench.start();
    const doubtful = { kind: "conflict", isDoubtful: true };
    assert.deepEqual(await bench.write("a", "no", 7), doubtful);
    await bench.write("a", "1", 0);
    await bench.write("b", "1", 0);
    assert.deepEqual(await bench.write("a", "no", 2), doubtful);
  });

  it("has one winner among many concurrent writes", async () => {
    await using bench = await Bench.start();
    const outcomes = await Promise.all(
      Array.from({ length: 200 }, (_, i) => bench.write("a", String(i), 0)),
    );
    const kinds = outcomes.map(({ kind }) => kind);
    assert.equal(kinds.filter((kind) => kind === "written").length, 1);
    assert.equal(kinds.filter((kind) => kind === "conflict").length, 199);
  });

  it("has an unknown outcome without an acknowledgement, even if it was stored", async () => {
    await using server = await TestServer.start();
    const direct = await server.connect();
    await makeBuckets(await jetstreamManager(direct));
    await using proxy = await NatsProxy.start(server.port);
    const connection = await server.connect({ servers: proxy.url });
    const writer = new KvWriter(connection, IMPATIENT_MS);
    await connection.flush();
    const watch = await (await new Kvm(direct).open("tasks")).watch();

    proxy.silenceServer();
    const outcome = writer.write({ subject: "$KV.tasks.a", payload: "1", expectedRevision: 0 });
    for await (const entry of watch) {
      assert.equal(entry.string(), "1");
      break;
    }
    assert.deepEqual(await outcome, { kind: "unknown" });
    writer.stop();
  });

  it("has an unknown outcome if the server is killed", async () => {
    await using bench = await Bench.start(IMPATIENT_MS);
    await bench.server.kill();
    assert.deepEqual(await bench.write("a", "1", 0), { kind: "unknown" });
    const status = bench.connection.status();
    await bench.server.restart();
    for await (const { type } of status) if (type === "reconnect") break;
    const outcome = await bench.write("b", "1", 0);
    assert.equal(outcome.kind, "written");
  });

  it("has an unknown outcome at once if no server has the bucket", async () => {
    await using bench = await Bench.start();
    const write = { subject: "$KV.nothing.a", payload: "1", expectedRevision: 0 };
    assert.deepEqual(await bench.writer.write(write), { kind: "unknown" });
  });

  it("has an unknown outcome if the writer stops meanwhile", async () => {
    await using bench = await Bench.start();
    await using proxy = await NatsProxy.start(bench.server.port);
    const connection = await bench.server.connect({ servers: proxy.url });
    const writer = new KvWriter(connection, PATIENT_MS);
    await connection.flush();
    proxy.silenceServer();
    const outcome = writer.write({ subject: "$KV.tasks.a", payload: "1", expectedRevision: 0 });
    writer.stop();
    assert.deepEqual(await outcome, { kind: "unknown" });
  });

  it("rejects with `unavailable` and the reason if the server refuses it for another reason", async () => {
    await using bench = await Bench.start();
    const { config } = await bench.jsm.streams.info("KV_tasks");
    await bench.jsm.streams.update("KV_tasks", { ...config, max_msg_size: 10 });
    await assert.rejects(bench.write("a", "x".repeat(1_000), 0), {
      name: "CoordinatorError",
      code: "unavailable",
      message: /^NATS refused the write: message size exceeds maximum allowed/,
    });
  });

  it("rejects with `too_large` and the limit if NATS cannot carry it, and the next write succeeds", async () => {
    await using bench = await Bench.start();
    await assert.rejects(bench.write("a", "x".repeat(1024 * 1024), 0), {
      name: "CoordinatorError",
      code: "too_large",
      message: /more than the 1048576 bytes that NATS carries \(max_payload\)/,
    });
    assert.equal((await bench.write("a", "1", 0)).kind, "written");
  });

  it("rejects with `unavailable` on a closed connection", async () => {
    await using bench = await Bench.start();
    await bench.connection.close();
    await assert.rejects(bench.write("a", "1", 0), {
      code: "unavailable",
      message: "the connection to NATS is closed",
    });
  });

  it("ignores other messages to its inbox", async () => {
    await using bench = await Bench.start();
    const other = await bench.server.connect();
    const inboxes: string[] = [];
    other.subscribe("_INBOX.>", {
      callback: (_, { subject }) => {
        inboxes.push(subject);
      },
    });
    await other.flush();
    await bench.write("a", "1", 0);
    await other.flush();
    const [inbox] = inboxes;
    assert.ok(inbox !== undefined);
    // The first subject is that of a write that has ended. No write has the second one.
    for (const subject of [inbox, inbox.replace(/[^.]+$/, "zzz")]) {
      other.publish(subject, '{"seq":99}');
      other.publish(subject, "not JSON");
      other.publish(subject, "");
    }
    await other.flush();
    assert.deepEqual(await bench.write("b", "1", 0), { kind: "written", revision: 2 });
  });
});

describe("a write with a TTL", () => {
  it("is removed by the server, which leaves a marker", async () => {
    await using bench = await Bench.start();
    const write = { subject: "$KV.leases.a", payload: "1", ttlSeconds: 1 };
    const watch = await (await new Kvm(bench.connection).open("leases")).watch();
    const outcome = await bench.writer.write({ ...write, expectedRevision: 0 });
    assert.deepEqual(outcome, { kind: "written", revision: 1 });
    for await (const entry of watch) if (entry.operation !== "PUT") break;
    const last = { last_by_subj: "$KV.leases.a" };
    const marker = await bench.jsm.streams.getMessage("KV_leases", last);
    assert.equal(marker?.header.get("Nats-Marker-Reason"), "MaxAge");
    // A write with the old revision cannot restore it.
    const late = await bench.writer.write({ ...write, expectedRevision: 1 });
    assert.deepEqual(late, { kind: "conflict" });
  });

  it("begins its TTL again with each write, and has none after a write without a TTL", async () => {
    await using bench = await Bench.start();
    const lease = (
      key: string,
      expectedRevision: number,
      more: { ttlSeconds?: number },
    ): ReturnType<KvWriter["write"]> =>
      bench.writer.write({ subject: `$KV.leases.${key}`, payload: "1", expectedRevision, ...more });
    await lease("renewed", 0, { ttlSeconds: 1 });
    await lease("kept", 0, { ttlSeconds: 1 });
    await lease("gone", 0, { ttlSeconds: 1 });
    await lease("renewed", 1, { ttlSeconds: 60 });
    await lease("kept", 2, {});
    const bucket = await new Kvm(bench.connection).open("leases");
    // When this entry is gone, the others would be gone too.
    for await (const entry of await bucket.watch({ key: "gone" })) {
      if (entry.operation !== "PUT") break;
    }
    assert.equal((await bucket.get("renewed"))?.operation, "PUT");
    assert.equal((await bucket.get("kept"))?.operation, "PUT");
  });
});

describe("a purge", () => {
  it("leaves one marker of the key, which removes itself, and does not affect other keys", async () => {
    await using bench = await Bench.start();
    await bench.write("a", "1", 0);
    await bench.write("other", "1", 0);
    await bench.write("a", "2", 1);
    const purge = { ttlSeconds: 900, purge: true };
    assert.deepEqual(await bench.write("a", "", 1, purge), { kind: "conflict" });
    assert.deepEqual(await bench.write("a", "", 3, purge), { kind: "written", revision: 4 });
    const marker = await bench.jsm.streams.getMessage("KV_tasks", { last_by_subj: "$KV.tasks.a" });
    assert.deepEqual(
      [marker?.seq, marker?.header.get("KV-Operation"), marker?.header.get("Nats-TTL")],
      [4, "PURGE", "900s"],
    );
    const { state } = await bench.jsm.streams.info("KV_tasks", { subjects_filter: ">" });
    assert.deepEqual(state.subjects, { "$KV.tasks.a": 1, "$KV.tasks.other": 1 });
    assert.deepEqual(await bench.write("a", "3", 4), { kind: "written", revision: 5 });
  });

  it("leaves nothing after the TTL of its marker", async () => {
    await using bench = await Bench.start();
    const subject = "$KV.leases.a";
    await bench.writer.write({ subject, payload: "1", expectedRevision: 0 });
    const purge = { payload: "", expectedRevision: 1, ttlSeconds: 1, purge: true };
    await bench.writer.write({ subject, ...purge });
    let messages = 1;
    const deadline = Date.now() + PATIENT_MS;
    while (messages > 0 && Date.now() < deadline) {
      // A marker that removes itself sends no signal, so we poll.
      await delay(50);
      messages = (await bench.jsm.streams.info("KV_leases")).state.messages;
    }
    assert.equal(messages, 0);
  });
});
