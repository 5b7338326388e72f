import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Cluster } from "../../scripts/lab/cluster.ts";
import { patiently, rolesOf } from "../../scripts/lab/leader.ts";
import { connectNats } from "../../src/nats/connection.ts";
import { KvTaskStore } from "../../src/nats/kv-task-store.ts";
import { leadOf, ProvenLead } from "../../src/nats/proven-lead.ts";
import { openKvAccess } from "../support/kv-access.ts";
import { serverBinary, TestServer } from "../support/nats-server.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { availableTask } from "../task/sample-task.ts";

/** A stream in a cluster, at a time that the test sets. */
class Stream {
  readonly sent: string[] = [];
  now = 0;
  /** How long each answer takes. */
  tookMs = 0;
  isShared = true;
  hasQuorum = true;
  readonly lead = new ProvenLead({
    prove: () => this.#send("proof"),
    isShared: () => this.isShared,
    now: () => this.now,
  });

  read(): Promise<void> {
    return this.lead.read(() => this.#send("read"));
  }

  write(): Promise<void> {
    return this.lead.acknowledged(
      () => this.#send("write"),
      () => true,
    );
  }

  #send(what: string): Promise<void> {
    this.sent.push(what);
    this.now += this.tookMs;
    const isAnswered = this.hasQuorum || what === "read";
    return isAnswered ? Promise.resolve() : Promise.reject(new Error("no answer"));
  }
}

describe("reads of a stream in a cluster", () => {
  it("need one proof that its leader leads, until that is too old", async () => {
    const stream = new Stream();
    await stream.read();
    stream.now = 2_999;
    await stream.read();
    stream.now = 3_000;
    await stream.read();
    assert.deepEqual(stream.sent, ["proof", "read", "read", "proof", "read"]);
  });

  it("need none soon after a write that was acknowledged", async () => {
    const stream = new Stream();
    await stream.write();
    stream.now = 2_000;
    await stream.read();
    assert.deepEqual(stream.sent, ["write", "read"]);
    stream.hasQuorum = false;
    await assert.rejects(stream.write());
    stream.now = 4_000;
    await assert.rejects(stream.read(), /no answer/);
    assert.deepEqual(stream.sent, ["write", "read", "write", "proof"]);
  });

  it("share a proof", async () => {
    const stream = new Stream();
    await Promise.all([stream.read(), stream.read(), stream.read()]);
    assert.deepEqual(stream.sent, ["proof", "read", "read", "read"]);
  });

  it("need a new proof after the connection was lost, because another server may answer", async () => {
    const stream = new Stream();
    await stream.write();
    stream.now = 10;
    stream.lead.forget();
    await stream.read();
    assert.deepEqual(stream.sent, ["write", "proof", "read"]);
  });

  it("are made again if the answer comes too late, and given up in the end", async () => {
    const stream = new Stream();
    stream.tookMs = 1_600;
    await assert.rejects(stream.read(), /timeout/);
    assert.deepEqual(stream.sent, ["proof", "read", "proof", "read"]);
    stream.tookMs = 10;
    await stream.read();
  });

  it("need no proof while a single node has the stream", async () => {
    const stream = new Stream();
    stream.isShared = false;
    await stream.read();
    assert.deepEqual(stream.sent, ["read"]);
  });
});

describe("a server that is in no cluster", () => {
  it("is asked for no proof", async () => {
    await using server = await TestServer.start();
    const access = await openKvAccess(await server.connect());
    const calls = access.connection.subscribe("$JS.EVENT.ADVISORY.API");
    await leadOf(access, "KV_tasks").read(() => Promise.resolve());
    await access.jsm.streams.purge("KV_tasks", { filter: "$KV.tasks.none" });
    for await (const call of calls) {
      const { subject, request } = call.json<{ subject: string; request: string }>();
      if (!subject.startsWith("$JS.API.STREAM.PURGE.")) continue;
      assert.match(request, /tasks\.none/);
      break;
    }
  });
});

describe("a node that led the tasks and is cut off from the others, but not from its clients", () => {
  it("gives nobody an old record", async () => {
    await using folder = await TempFolder.create();
    const surroundings = { binary: await serverBinary(), folder: folder.path, network: null };
    await using cluster = await Cluster.start({ nodes: 3, workers: 1, ...surroundings });
    const { leader, followers } = await rolesOf(cluster, "tasks");
    const [other] = followers;
    assert.ok(other !== undefined);
    const urlOf = ({ name }: { name: string }): string =>
      cluster.urls[cluster.nodes.findIndex((node) => node.name === name)] ?? "";
    const near = await connectNats({ servers: [urlOf(leader)] });
    const far = await connectNats({ servers: [urlOf(other)] });
    try {
      const access = await openKvAccess(near);
      const atLeader = new KvTaskStore(access);
      const elsewhere = new KvTaskStore(await openKvAccess(far));
      const task = availableTask();
      const prepared = elsewhere.prepare(task);
      let revision = 0;
      /** A write without an acknowledgement may have been made, so each try begins with what is there. */
      const write = (): Promise<void> =>
        patiently(async () => {
          const found = (await elsewhere.load(task.taskId))?.revision ?? 0;
          const outcome = await elsewhere.write(prepared, found);
          if (outcome.kind !== "written") throw new Error(outcome.kind);
          ({ revision } = outcome);
        });
      await write();
      const loaded = async (): Promise<number> => (await atLeader.load(task.taskId))?.revision ?? 0;
      assert.equal(await loaded(), revision);
      const stateOf = async () => (await access.jsm.streams.info("KV_tasks")).state;
      const before = await stateOf();
      await leadOf(access, "KV_tasks").read(() => Promise.resolve());
      assert.deepEqual(await stateOf(), before);

      const blocks = followers.flatMap((node) => [
        cluster.block(leader, node),
        cluster.block(node, leader),
      ]);
      const ends = await Promise.all(blocks);
      await write();
      for (let reads = 0; reads < 40; reads++) {
        const floor = revision;
        const found = await loaded().catch(() => null);
        assert.ok(found === null || found >= floor, `${String(found)} instead of ${floor}`);
        await write();
        await delay(100);
      }
      for (const end of ends) await end();
      assert.equal(await patiently(loaded), revision);
    } finally {
      await near.close();
      await far.close();
    }
  });
});
