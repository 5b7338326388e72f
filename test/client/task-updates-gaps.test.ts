import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { jetstreamManager } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import { headers, nanos } from "@nats-io/transport-node";
import { NatsProxy } from "../support/nats-proxy.ts";
import { UpdateClient } from "../support/observed-updates.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

const NO_TRIMMING = { settings: { history: 64 } };

/** `a` is claimed and given back so many times: two revisions each. */
async function churn(coordinator: TestCoordinator, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    await coordinator.ok("tasks.claim.a", { session_id: "s1" });
    await coordinator.ok("tasks.release.a", { session_id: "s1", status: "available" });
  }
}

describe("updates that the history no longer has", () => {
  it("are reported as missing, and the current state of every task is delivered", async () => {
    await using coordinator = await TestCoordinator.start({ settings: { history: 1 } });
    await using proxy = await NatsProxy.start(coordinator.server.port);
    await using client = await UpdateClient.connect(proxy.url);
    const seen = await client.observe();
    await coordinator.ok("tasks.create.a");
    await coordinator.ok("tasks.create.b");
    await seen.until(2);
    proxy.cut();
    await churn(coordinator, 3);
    await coordinator.ok("tasks.create.c");
    proxy.mend();
    await seen.until(9);
    await coordinator.ok("tasks.claim.b", { session_id: "s1" });
    await seen.until(10);
    assert.deepEqual(summary(seen.updates), [
      [1, "a", "available", false],
      [2, "b", "available", false],
      [8, "a", "available", true],
      [9, "c", "available", false],
      [10, "b", "claimed", false],
    ]);
  });

  it("are reported as missing to a subscriber that begins at the beginning or after a revision", async () => {
    await using coordinator = await TestCoordinator.start({ settings: { history: 2 } });
    await using client = await UpdateClient.connect(coordinator.server.url);
    await coordinator.ok("tasks.create.a");
    await coordinator.ok("tasks.create.b");
    await churn(coordinator, 2);
    const all = await client.observe({ since: "beginning" });
    const some = await client.observe({ since: 3 });
    const rest = await client.observe({ since: 4 });
    for (const seen of [all, some, rest]) await seen.until(6);
    await all.assertIsHistory(coordinator.connection, { gapsBefore: [2, 5] });
    await some.assertIsHistory(coordinator.connection, { after: 3, gapsBefore: [5] });
    await rest.assertIsHistory(coordinator.connection, { after: 4 });
  });

  it("are reported as missing after each of several gaps, also to a slow subscriber", async () => {
    await using coordinator = await TestCoordinator.start({ settings: { history: 1 } });
    await using client = await UpdateClient.connect(coordinator.server.url);
    let goOn = (): void => undefined;
    const slow = await client.observe({ since: "beginning" }, () => {
      return new Promise<void>((resolve) => (goOn = resolve));
    });
    const fast = await client.observe();
    const tasks = Array.from({ length: 1_000 }, (_, i) => ({ task_id: `task-${i}` }));
    await coordinator.ok("tasks.create.a");
    await slow.until(1);
    await coordinator.ok("tasks.import", { tasks });
    // The queue of the slow one is full now. It has to read what follows, if the history still has it.
    await churn(coordinator, 2);
    await coordinator.ok("tasks.create.b");
    await churn(coordinator, 1);
    await fast.until(1008);
    const freeing = setInterval(() => {
      goOn();
    }, 0);
    await slow.until(1008);
    clearInterval(freeing);
    assert.deepEqual(
      slow.revisions.filter((revision) => revision > 1001),
      [1006, 1008],
    );
    assert.deepEqual(gaps(slow.updates), [1006, 1008]);
    assert.deepEqual(gaps(fast.updates), []);
  });

  it("are reported as missing with the next update that passes the filter", async () => {
    await using coordinator = await TestCoordinator.start({ settings: { history: 1 } });
    await using client = await UpdateClient.connect(coordinator.server.url);
    await coordinator.ok("tasks.create.a");
    await coordinator.ok("tasks.create.P0.b");
    await churn(coordinator, 2);
    const byPrefix = await client.observe({ since: 2, filter: { prefix: "P0." } });
    const byEvent = await client.observe({ since: 2, filter: { type: "task_claimed" } });
    await coordinator.ok("tasks.create.c");
    await coordinator.ok("tasks.claim.P0.b", { session_id: "s1" });
    await coordinator.ok("tasks.claim.c", { session_id: "s1" });
    await coordinator.ok("tasks.release.P0.b", { session_id: "s1", status: "complete" });
    await byPrefix.until(10);
    await byEvent.until(9);
    assert.deepEqual(gaps(byPrefix.updates), [8]);
    assert.deepEqual(gaps(byEvent.updates), [8]);
    assert.deepEqual(byPrefix.revisions, [8, 10]);
    assert.deepEqual(byEvent.revisions, [8, 9]);
  });
});

describe("a change that is no transition", () => {
  it("is delivered in order, live and later, if it is a removal", async () => {
    await using coordinator = await TestCoordinator.start(NO_TRIMMING);
    await using client = await UpdateClient.connect(coordinator.server.url);
    const live = await client.observe();
    const others = await client.observe({ filter: { prefix: "b" } });
    for (const id of ["a", "b"]) await coordinator.ok(`tasks.create.${id}`);
    const bucket = await new Kvm(coordinator.connection).open("tasks");
    await bucket.purge("a");
    await coordinator.ok("tasks.create.c");
    await bucket.delete("b");
    await coordinator.ok("tasks.create.d");
    for (const seen of [live, others]) await seen.until(5);
    await live.until(6);
    const late = await client.observe({ since: 1 });
    await late.until(6);
    assert.deepEqual(live.revisions, [1, 2, 3, 4, 5, 6]);
    assert.deepEqual(late.revisions, [2, 3, 4, 5, 6]);
    assert.deepEqual(others.revisions, [2, 5]);
    for (const seen of [live, late]) {
      assert.deepEqual(seen.removals, [
        { task_id: "a", revision: 3 },
        { task_id: "b", revision: 5 },
      ]);
      assert.deepEqual(gaps(seen.updates), []);
    }
  });

  it("is delivered if it is the removal of a finished task", async () => {
    await using coordinator = await TestCoordinator.start({ settings: { retention_seconds: 1 } });
    await using client = await UpdateClient.connect(coordinator.server.url);
    const seen = await client.observe();
    await coordinator.ok("tasks.create.a");
    await coordinator.ok("tasks.cancel.a");
    await seen.until(3);
    assert.deepEqual(seen.removals, [{ task_id: "a", revision: 3 }]);
  });

  it("is an update if it is a record written by hand, and a removal if it is not a task", async () => {
    await using coordinator = await TestCoordinator.start(NO_TRIMMING);
    await using client = await UpdateClient.connect(coordinator.server.url);
    const live = await client.observe();
    const bucket = await new Kvm(coordinator.connection).open("tasks");
    await bucket.put("a", JSON.stringify({ title: "by hand" }));
    for (const value of ["no task", "null", "[]", '{"status":"unheard of"}', "7"]) {
      await bucket.put("b", value);
    }
    await coordinator.ok("tasks.claim.a", { session_id: "s1" });
    const late = await client.observe({ since: "beginning" });
    for (const seen of [live, late]) {
      await seen.until(7);
      await seen.assertIsHistory(coordinator.connection);
      assert.deepEqual(
        seen.removals.map(({ revision }) => revision),
        [2, 3, 4, 5, 6],
      );
      const [first] = seen.updates;
      assert.deepEqual(
        [first?.type, first?.old_status, first?.new_status, first?.task.title],
        ["task_updated", null, "available", "by hand"],
      );
    }
  });

  it("is ignored if it is a message that NATS has not sent itself", async () => {
    await using coordinator = await TestCoordinator.start(NO_TRIMMING);
    await using client = await UpdateClient.connect(coordinator.server.url);
    const seen = await client.observe();
    await coordinator.ok("tasks.create.a");
    await seen.until(1);
    const record = JSON.stringify({ task_id: "a", status: "complete" });
    const { connection } = coordinator;
    const pages = connection.subscribe("tasks.changes", { callback: () => undefined });
    connection.publish("task-updates.a", record);
    const numbered = headers();
    numbered.set("Nats-Sequence", "many");
    connection.publish("task-updates.a", record, { headers: numbered });
    connection.publish("task-updates.a");
    await connection.flush();
    await coordinator.ok("tasks.create.b");
    await seen.until(2);
    await seen.assertIsHistory(connection);
    assert.deepEqual(seen.removals, []);
    assert.equal(pages.getReceived(), 0);
  });

  it("causes no second delivery if it is a marker that has expired", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 0, ...NO_TRIMMING });
    const before = await coordinator.addWorkers(1);
    await using proxy = await NatsProxy.start(coordinator.server.port);
    await using client = await UpdateClient.connect(proxy.url);
    const seen = await client.observe();
    for (const id of ["a", "b"]) await coordinator.ok(`tasks.create.${id}`);
    await purgeForGood(coordinator, "b");
    await seen.until(3);
    // A worker that has just started has not seen the marker.
    await before.stop();
    await coordinator.addWorkers(1);
    const verified = proxy.untilServerSays('"last_revision"');
    proxy.cut();
    proxy.mend();
    await verified;
    await coordinator.ok("tasks.create.c");
    await seen.until(4);
    assert.deepEqual(seen.revisions, [1, 2, 3, 4]);
    assert.deepEqual(gaps(seen.updates), []);
  });
});

/** Resolves when the marker of the removal has expired. */
async function purgeForGood({ connection }: TestCoordinator, id: string): Promise<void> {
  const { streams } = await jetstreamManager(connection);
  await streams.update("KV_tasks", { subject_delete_marker_ttl: nanos(1_000) });
  const purging = headers();
  purging.set("KV-Operation", "PURGE");
  purging.set("Nats-Rollup", "sub");
  purging.set("Nats-TTL", "1s");
  await connection.request(`$KV.tasks.${id}`, "", { headers: purging, timeout: 5_000 });
  for (;;) {
    const { state } = await streams.info("KV_tasks");
    if (state.messages === 1) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function summary(
  updates: readonly {
    revision: number;
    task_id: string;
    new_status: string;
    transitions_missing: boolean;
  }[],
) {
  return updates.map((one) => [one.revision, one.task_id, one.new_status, one.transitions_missing]);
}

/** Revisions of the updates before which transitions are missing. */
function gaps(updates: readonly { revision: number; transitions_missing: boolean }[]): number[] {
  return updates.filter((one) => one.transitions_missing).map(({ revision }) => revision);
}
