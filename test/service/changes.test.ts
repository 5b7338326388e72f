import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { jetstreamManager } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import { headers, nanos } from "@nats-io/transport-node";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

/** Makes revisions 1 to 4: `a` is created, claimed and completed; in between, `b` is created. */
async function fourChanges(coordinator: TestCoordinator): Promise<void> {
  await coordinator.ok("tasks.create.a");
  await coordinator.ok("tasks.create.b");
  await coordinator.ok("tasks.claim.a", { session_id: "s1" });
  await coordinator.ok("tasks.release.a", { session_id: "s1", status: "complete" });
}

function summary({ changes }: Json): unknown[] {
  return changes.map(({ revision, task_id, task }: Json) => [revision, task_id, task?.status]);
}

/** Removes a task and its history, as an operator would. */
async function purge(coordinator: TestCoordinator, id: string): Promise<void> {
  const bucket = await new Kvm(coordinator.connection).open("tasks");
  await bucket.purge(id);
}

describe("the history of a task", () => {
  it("has every record of the task, oldest first", async () => {
    await using coordinator = await TestCoordinator.start();
    await fourChanges(coordinator);
    const { entries } = await coordinator.ok("tasks.history.a");
    assert.deepEqual(
      entries.map(({ revision, task }: Json) => [revision, task.status, task.last_event.type]),
      [
        [1, "available", "task_created"],
        [3, "claimed", "task_claimed"],
        [4, "complete", "task_completed"],
      ],
    );
    assert.equal((await coordinator.refused("tasks.history.none")).code, "not_found");
  });

  it("goes back as far as the bucket keeps records", async () => {
    await using coordinator = await TestCoordinator.start({ settings: { history: 2 } });
    await fourChanges(coordinator);
    const { entries } = await coordinator.ok("tasks.history.a");
    assert.deepEqual(
      entries.map(({ revision }: Json) => revision),
      [3, 4],
    );
  });

  it("is removed with the task", async () => {
    await using coordinator = await TestCoordinator.start();
    await fourChanges(coordinator);
    await purge(coordinator, "a");
    assert.equal((await coordinator.refused("tasks.history.a")).code, "not_found");
  });
});

describe("the changes after a revision", () => {
  it("are complete, from the beginning or from any revision", async () => {
    await using coordinator = await TestCoordinator.start();
    await fourChanges(coordinator);
    const all = await coordinator.ok("tasks.changes");
    assert.deepEqual(summary(all), [
      [1, "a", "available"],
      [2, "b", "available"],
      [3, "a", "claimed"],
      [4, "a", "complete"],
    ]);
    assert.deepEqual([all.last_revision, all.complete, all.has_more], [4, true, false]);
    const some = await coordinator.ok("tasks.changes", { since: 2 });
    assert.deepEqual(summary(some), summary(all).slice(2));
    assert.equal(some.complete, true);
  });

  it("are none after the last revision, and none in an empty bucket", async () => {
    await using coordinator = await TestCoordinator.start();
    const { bucket_id } = await coordinator.ok("tasks.changes");
    const none = { ok: true, changes: [], bucket_id, complete: true, has_more: false };
    assert.deepEqual(await coordinator.ok("tasks.changes"), { ...none, last_revision: 0 });
    await fourChanges(coordinator);
    assert.deepEqual(await coordinator.ok("tasks.changes", { since: 4 }), {
      ...none,
      last_revision: 4,
    });
  });

  it("come in pages", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 2 });
    await fourChanges(coordinator);
    const revisions: number[] = [];
    let since = 0;
    let page: Json;
    do {
      page = await coordinator.ok("tasks.changes", { since, limit: 3 });
      assert.equal(page.complete, true);
      assert.equal(page.last_revision, 4);
      revisions.push(...page.changes.map(({ revision }: Json) => revision as number));
      since = revisions.at(-1) ?? 0;
    } while (page.has_more === true);
    assert.deepEqual(revisions, [1, 2, 3, 4]);
  });

  it("are marked as incomplete if some were trimmed", async () => {
    await using coordinator = await TestCoordinator.start({ settings: { history: 1 } });
    await fourChanges(coordinator);
    const all = await coordinator.ok("tasks.changes");
    assert.deepEqual(summary(all), [
      [2, "b", "available"],
      [4, "a", "complete"],
    ]);
    assert.equal(all.complete, false);
    assert.equal((await coordinator.ok("tasks.changes", { since: 3 })).complete, true);
  });

  it("show the current state after a revision that never existed", async () => {
    await using coordinator = await TestCoordinator.start({ settings: { history: 1 } });
    await fourChanges(coordinator);
    const reply = await coordinator.ok("tasks.changes", { since: 99 });
    assert.deepEqual(summary(reply), [
      [2, "b", "available"],
      [4, "a", "complete"],
    ]);
    assert.deepEqual([reply.complete, reply.last_revision], [false, 4]);
  });

  it("show a removed task without a record", async () => {
    await using coordinator = await TestCoordinator.start();
    await fourChanges(coordinator);
    await purge(coordinator, "a");
    const reply = await coordinator.ok("tasks.changes", { since: 4 });
    assert.deepEqual(summary(reply), [[5, "a", undefined]]);
    assert.equal(reply.changes[0].task, null);
    assert.equal(reply.complete, true);
  });

  it("stay complete after the last revision when the marker of a removed task is gone", async () => {
    await using coordinator = await TestCoordinator.start();
    await fourChanges(coordinator);
    const { streams } = await jetstreamManager(coordinator.connection);
    const name = "KV_tasks";
    await streams.update(name, { subject_delete_marker_ttl: nanos(1_000) });
    const purging = headers();
    purging.set("KV-Operation", "PURGE");
    purging.set("Nats-Rollup", "sub");
    purging.set("Nats-TTL", "1s");
    await coordinator.connection.request("$KV.tasks.a", "", { headers: purging, timeout: 5_000 });
    await coordinator.until("tasks.changes", ({ changes }: Json) => changes.length === 1, {
      since: 1,
    });

    const known = await coordinator.ok("tasks.changes", { since: 5 });
    assert.deepEqual([known.changes, known.complete, known.last_revision], [[], true, 5]);
    const missed = await coordinator.ok("tasks.changes", { since: 4 });
    assert.deepEqual([missed.changes, missed.complete, missed.last_revision], [[], false, 5]);
    assert.equal(missed.has_more, false);
  });
});
