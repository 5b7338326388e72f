import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { jetstream } from "@nats-io/jetstream";
import { type KV, Kvm } from "@nats-io/kv";
import { TestCoordinator } from "../support/test-coordinator.ts";
import { RawConnection } from "./raw-connection.ts";

const NO_TASKS: Readonly<Record<string, string>> = {
  "not-json": "hello",
  empty: "",
  "an-array": "[1,2]",
  "a-string": '"task"',
  "wrong-type": '{"title":7}',
  "wrong-status": '{"status":"done"}',
  "other-id": '{"task_id":"another"}',
  "claimed-by-nobody": '{"status":"claimed"}',
  deep: `{"payload":${"[".repeat(1_000)}${"]".repeat(1_000)}}`,
  "changed-number": '{"title":"t","payload":{"id":1970670598291982290}}',
  "changed-unknown-field": '{"title":"t","future":[1e400]}',
  "half-a-pair": '{"title":"\\ud800"}',
  binary: "\u0000\ufffd\u0001",
};

describe("a value in the bucket that is not a task", () => {
  it("is reported wherever it is asked for, and never overwritten", async () => {
    await using coordinator = await TestCoordinator.start();
    const bucket = await tasksBucket(coordinator);
    const holder = { session_id: "s1" };
    for (const [id, value] of Object.entries(NO_TASKS)) {
      const reported = coordinator.fact("corrupt_record", (fact) => fact.taskId === id);
      const revision = await bucket.put(id, value);
      assert.notEqual((await reported).problem, "");
      for (const [operation, body] of [
        ["get", {}],
        ["claim", holder],
        ["renew", holder],
        ["release", { ...holder, status: "complete" }],
        ["verify", holder],
        ["update", { title: "x" }],
        ["cancel", {}],
        ["requeue", {}],
        ["create", {}],
      ] as const) {
        const error = await coordinator.refused(`tasks.${operation}.${id}`, body);
        assert.equal(error.code, "corrupt_record", `${operation} of ${id}: ${error.message}`);
        assert.match(error.message, new RegExp(`${id} .*Correct it with "nats kv put tasks ${id}`));
      }
      const entry = await bucket.get(id);
      assert.deepEqual([entry?.revision, entry?.string()], [revision, value]);
    }
    const stats = await coordinator.ok("tasks.stats");
    assert.deepEqual([stats.corrupt, stats.total], [Object.keys(NO_TASKS).length, 0]);
  });

  it("keeps nobody from listing, claiming and completing the others", async () => {
    await using coordinator = await TestCoordinator.start();
    const bucket = await tasksBucket(coordinator);
    for (const [id, value] of Object.entries(NO_TASKS)) await bucket.put(id, value);
    await coordinator.ok("tasks.create.good", { depends_on: [] });
    await coordinator.ok("tasks.create.later", { depends_on: ["good", "not-json"] });

    const { tasks } = await coordinator.ok("tasks.list");
    assert.deepEqual(tasks.map(idOf), ["good", "later"]);
    const { claims } = await coordinator.ok("tasks.next", { session_id: "s1", max: 10 });
    assert.deepEqual(
      claims.map(({ task }: { task: object }) => idOf(task)),
      ["good"],
    );
    await coordinator.ok("tasks.release.good", { session_id: "s1", status: "complete" });
    // What cannot be read is not complete.
    assert.equal((await coordinator.ok("tasks.get.later")).task.status, "blocked");
    const { changes } = await coordinator.ok("tasks.changes");
    const unreadable = changes.filter(({ task }: { task: object | null }) => task === null);
    assert.deepEqual(unreadable.map(idOf), Object.keys(NO_TASKS));
  });

  it("does not keep a worker from starting, nor another from answering the same", async () => {
    await using coordinator = await TestCoordinator.start();
    const bucket = await tasksBucket(coordinator);
    await bucket.put("bad", "hello");
    await coordinator.addWorkers(1);
    for (let i = 0; i < 10; i++) {
      const stats = await coordinator.ok("tasks.stats");
      assert.deepEqual([stats.corrupt, stats.total], [1, 0]);
    }
  });

  it("is healed by putting a proper record in its place", async () => {
    await using coordinator = await TestCoordinator.start();
    const bucket = await tasksBucket(coordinator);
    await bucket.put("bad", "hello");
    assert.equal((await coordinator.refused("tasks.get.bad")).code, "corrupt_record");
    await bucket.put("bad", '{"title":"Good now"}');
    const { task, attempt } = await coordinator.ok("tasks.claim.bad", { session_id: "s1" });
    assert.deepEqual([task.title, attempt], ["Good now", 1]);
    assert.equal((await coordinator.ok("tasks.stats")).corrupt, 0);
    const { entries } = await coordinator.ok("tasks.history.bad");
    assert.deepEqual(
      entries.map(({ task }: { task: object | null }) => task !== null),
      [false, true, true],
    );
  });

  it("can be removed, and its id used again", async () => {
    await using coordinator = await TestCoordinator.start();
    const bucket = await tasksBucket(coordinator);
    await bucket.put("bad", "hello");
    await bucket.delete("bad");
    assert.equal((await coordinator.refused("tasks.get.bad")).code, "not_found");
    assert.equal((await coordinator.ok("tasks.create.bad")).task.status, "available");
    assert.equal((await coordinator.ok("tasks.stats")).corrupt, 0);
  });

  it("in place of a claimed task makes it unreadable, not free", async () => {
    await using coordinator = await TestCoordinator.start();
    const bucket = await tasksBucket(coordinator);
    await coordinator.ok("tasks.create.a");
    await coordinator.ok("tasks.claim.a", { session_id: "s1" });
    await bucket.put("a", "hello");
    assert.equal(
      (await coordinator.refused("tasks.claim.a", { session_id: "s2" })).code,
      "corrupt_record",
    );
    const { claims } = await coordinator.ok("tasks.next", { session_id: "s2" });
    assert.deepEqual(claims, []);
  });

  it("is one if its key is not a task id", async () => {
    await using coordinator = await TestCoordinator.start();
    for (const key of ["k".repeat(257), "a$b", "ü"]) {
      const reported = coordinator.fact("corrupt_record", (fact) => fact.taskId === key);
      await jetstream(coordinator.connection).publish(`$KV.tasks.${key}`, '{"title":"x"}');
      assert.match((await reported).problem, /the key is not a task id: use 1 to 256 characters/);
    }
    const { claims } = await coordinator.ok("tasks.next", { session_id: "s1", max: 10 });
    assert.deepEqual(claims, []);
  });

  it("that fits into a message, but a claim of it does not, holds nobody up", async () => {
    await using coordinator = await TestCoordinator.start();
    const bucket = await tasksBucket(coordinator);
    await bucket.put("large", JSON.stringify({ title: "x".repeat(1_048_576 - 200), priority: 0 }));
    const error = await coordinator.refused("tasks.claim.large", { session_id: "s1" });
    assert.equal(error.code, "too_large");
    await coordinator.ok("tasks.create.a");
    const { claims } = await coordinator.ok("tasks.next", { session_id: "s1" });
    assert.deepEqual(
      claims.map(({ task }: { task: object }) => idOf(task)),
      ["a"],
    );
  });
});

describe("a record with headers that cannot be read", () => {
  it("is a task like any other, and the worker goes on", async () => {
    await using coordinator = await TestCoordinator.start();
    await using raw = await RawConnection.open(coordinator.server.port);
    raw.subscribe("ack", 1);
    await coordinator.ok("tasks.create.before");
    for (const [id, text] of [
      ["odd", '{"title":"Odd"}'],
      ["bad", "hello"],
    ] as const) {
      raw.publishWithHeaders(`$KV.tasks.${id}`, "ack", "NATS/1.0\r\nn o: header\r\n\r\n", text);
      assert.match((await raw.message("ack")).text, /"seq":/);
    }
    await coordinator.ok("tasks.create.after");

    const { tasks } = await coordinator.ok("tasks.list");
    assert.deepEqual(tasks.map(idOf), ["before", "odd", "after"]);
    assert.equal((await coordinator.refused("tasks.get.bad")).code, "corrupt_record");
    const { changes, complete } = await coordinator.ok("tasks.changes");
    assert.deepEqual(changes.map(idOf), ["before", "odd", "bad", "after"]);
    assert.equal(complete, true);
    assert.equal((await coordinator.ok("tasks.changes", { limit: 2 })).changes.length, 2);
    assert.equal((await coordinator.ok("tasks.claim.odd", { session_id: "s1" })).task.title, "Odd");
    const { entries } = await coordinator.ok("tasks.history.odd");
    assert.deepEqual(
      entries.map(({ task }: { task: { status: string } }) => task.status),
      ["available", "claimed"],
    );
    await coordinator.addWorkers(1);
    await coordinator.ok("tasks.release.odd", { session_id: "s1", status: "complete" });
  });
});

async function tasksBucket(coordinator: TestCoordinator): Promise<KV> {
  return new Kvm(coordinator.connection).open("tasks");
}

function idOf(task: object): unknown {
  return (task as { task_id?: unknown }).task_id;
}
