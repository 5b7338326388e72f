/** Buckets that are deleted while workers run: who makes them again, and what happens until then. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

const QUICK = { lease_grace_ms: 200 };

/** Repeats the request until the answer is not "ask again". */
async function answered(
  coordinator: TestCoordinator,
  subject: string,
  body: object = {},
): Promise<Json> {
  return coordinator.until(
    subject,
    ({ ok, error }) => ok === true || error.retryable === false,
    body,
  );
}

async function claimed(coordinator: TestCoordinator): Promise<JetStreamManager> {
  await coordinator.ok("sessions.register.s1");
  await coordinator.ok("tasks.create.a");
  const granted = coordinator.fact("lease_granted");
  await coordinator.ok("tasks.claim.a", { session_id: "s1" });
  await granted;
  return jetstreamManager(coordinator.connection);
}

describe("a bucket that is deleted while workers run", () => {
  it("is made again by the workers if it is the bucket of leases, and claims get new leases", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 2, settings: QUICK });
    const jsm = await claimed(coordinator);
    const restored = coordinator.fact("lease_restored");
    const remade = coordinator.fact("bucket_remade");
    await jsm.streams.delete("KV_leases");
    assert.equal((await remade).bucket, "leases");
    assert.equal((await restored).taskId, "a");
    const renewed = await answered(coordinator, "tasks.renew.a", { session_id: "s1", attempt: 1 });
    assert.deepEqual([renewed.ok, renewed.attempt], [true, 1]);
    assert.ok(!coordinator.facts.some(({ kind }) => kind === "bucket_problem"));
  });

  it("is made again by the workers if it is the bucket of sessions, and sessions can register again", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 2, settings: QUICK });
    const jsm = await claimed(coordinator);
    const remade = coordinator.fact("bucket_remade");
    await jsm.streams.delete("KV_sessions");
    assert.equal((await remade).bucket, "sessions");
    await coordinator.until("sessions.list", ({ ok, sessions }) => ok && sessions.length === 0);
    const beat = await answered(coordinator, "sessions.heartbeat.s1");
    assert.equal(beat.error?.code, "not_found");
    assert.ok((await answered(coordinator, "sessions.register.s1")).ok);
    assert.equal((await answered(coordinator, "tasks.get.a")).task.claimed_by, "s1");
  });

  it("is not made again if it is the bucket of tasks: every worker reports it and refuses requests", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 0, settings: QUICK });
    const app = await coordinator.addWorkers(1);
    const jsm = await claimed(coordinator);
    const { config } = await jsm.streams.info("KV_tasks");
    const problem = coordinator.fact("bucket_problem");
    await jsm.streams.delete("KV_tasks");
    assert.match((await problem).problem ?? "", /the bucket "tasks" was deleted: restore it/);
    const [health] = app.health();
    assert.match(health?.problems.join() ?? "", /the bucket "tasks" was deleted/);
    for (const [subject, body] of [
      ["tasks.get.a", {}],
      ["tasks.list", {}],
      ["tasks.create.b", {}],
      ["tasks.next", { session_id: "s2" }],
      ["tasks.release.a", { session_id: "s1", status: "complete" }],
      ["sessions.heartbeat.s1", {}],
    ] as const) {
      const error = await coordinator.refused(subject, body);
      assert.deepEqual([error.code, error.retryable], ["bucket_unusable", false], subject);
      assert.match(error.message, /"tasks" was deleted: restore it .* asking again does not help/);
    }

    // An operator makes it again, empty: the worker reports this, and serves again without a restart.
    const replaced = coordinator.fact("bucket_replaced");
    const over = coordinator.fact("bucket_problem", (fact) => fact.problem === null);
    await jsm.streams.add(config);
    assert.equal((await replaced).bucket, "tasks");
    await over;
    assert.deepEqual(app.health()[0]?.problems, []);
    assert.equal((await answered(coordinator, "tasks.get.a")).error.code, "not_found");
    assert.ok((await answered(coordinator, "tasks.create.a")).ok);
  });

  it("is made empty by a worker that starts, and then used by the other workers too", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 1, settings: QUICK });
    const jsm = await claimed(coordinator);
    const problem = coordinator.fact("bucket_problem");
    await jsm.streams.delete("KV_tasks");
    await problem;
    const over = coordinator.fact("bucket_problem", (fact) => fact.problem === null);
    const made = coordinator.fact("bucket_made");
    await coordinator.addWorkers(1);
    assert.equal((await made).bucket, "tasks");
    await over;
    assert.ok((await answered(coordinator, "tasks.create.a")).ok);
  });
});

describe("a bucket that another program made again", () => {
  it("is not used until its settings fit", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 1, settings: QUICK });
    const jsm = await claimed(coordinator);
    const { config } = await jsm.streams.info("KV_tasks");
    const problem = coordinator.fact("bucket_problem", (fact) =>
      (fact.problem ?? "").includes("republish"),
    );
    await jsm.streams.delete("KV_tasks");
    const { republish, ...without } = config;
    assert.ok(republish !== undefined);
    await jsm.streams.add(without);
    assert.match((await problem).problem ?? "", /settings that don't fit: republish is unset/);
    assert.equal((await coordinator.refused("tasks.get.a")).code, "bucket_unusable");
    const over = coordinator.fact("bucket_problem", (fact) => fact.problem === null);
    await jsm.streams.update("KV_tasks", { republish });
    await over;
    assert.ok((await answered(coordinator, "tasks.create.a")).ok);
  });
});

describe("a worker whose bucket was deleted", () => {
  it("looks for the bucket every few seconds, and reports the problem once", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 1, settings: QUICK });
    const jsm = await claimed(coordinator);
    const problem = coordinator.fact("bucket_problem");
    await jsm.streams.delete("KV_tasks");
    await problem;
    const since = coordinator.facts.length;
    const asked = coordinator.connection.subscribe("$JS.API.STREAM.INFO.KV_tasks", { max: 3 });
    const times: number[] = [];
    for await (const { subject } of asked) {
      assert.match(subject, /KV_tasks$/);
      times.push(performance.now());
    }
    assert.ok((times[2] ?? 0) - (times[0] ?? 0) > 3_000, times.join());
    for (let i = 0; i < 3; i++) await coordinator.refused("tasks.stats");
    const told = coordinator.facts.slice(since).filter(({ kind }) => kind !== "request");
    assert.deepEqual(told, []);
  });
});
