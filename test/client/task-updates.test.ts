import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Kvm } from "@nats-io/kv";
import { type SubscribeOptions, TaskError, type UpdateFilter } from "../../src/index.ts";
import { UpdateClient } from "../support/observed-updates.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

const NO_TRIMMING = { settings: { history: 64 } };

/** Six revisions: `P0.a` is created, claimed, fails and is cancelled; `P1.b` is created and claimed. */
async function sixChanges(coordinator: TestCoordinator): Promise<void> {
  await coordinator.ok("tasks.create.P0.a");
  await coordinator.ok("tasks.create.P1.b");
  await coordinator.ok("tasks.claim.P0.a", { session_id: "s1" });
  await coordinator.ok("tasks.claim.P1.b", { session_id: "s2" });
  await coordinator.ok("tasks.release.P0.a", { session_id: "s1", status: "failed", error: "no" });
  await coordinator.ok("tasks.cancel.P0.a", { session_id: "s3" });
}

describe("the updates of a subscription", () => {
  it("are all changes from now on, as the bucket has them", async () => {
    await using coordinator = await TestCoordinator.start(NO_TRIMMING);
    await coordinator.ok("tasks.create.before");
    await using client = await UpdateClient.connect(coordinator.server.url);
    const seen = await client.observe();
    await sixChanges(coordinator);
    await seen.until(7);
    await seen.assertIsHistory(coordinator.connection, { after: 1 });
    assert.deepEqual(
      seen.updates.map(({ type, session_id }) => [type, session_id]),
      [
        ["task_created", null],
        ["task_created", null],
        ["task_claimed", "s1"],
        ["task_claimed", "s2"],
        ["task_attempt_failed", "s1"],
        ["task_cancelled", "s3"],
      ],
    );
  });

  it("keep the types and fields of a later version", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    const { task } = await coordinator.ok("tasks.get.a");
    const last_event = { ...task.last_event, type: "task_paused", paused_by: "alice" };
    await using client = await UpdateClient.connect(coordinator.server.url);
    const live = await client.observe();
    const bucket = await new Kvm(coordinator.connection).open("tasks");
    const revision = await bucket.put("a", JSON.stringify({ ...task, last_event, colour: "red" }));
    const late = await client.observe({ since: "beginning" });
    for (const seen of [live, late]) {
      await seen.until(revision);
      const update = seen.updates.at(-1);
      assert.ok(update !== undefined);
      assert.deepEqual(update.task.last_event, last_event);
      assert.equal(update.type, "task_paused");
      assert.equal(update.paused_by, "alice");
    }
  });

  it("are those after a revision, both earlier and later ones", async () => {
    await using coordinator = await TestCoordinator.start(NO_TRIMMING);
    await using client = await UpdateClient.connect(coordinator.server.url);
    await sixChanges(coordinator);
    const seen = await client.observe({ since: 4 });
    await coordinator.ok("tasks.create.after");
    await seen.until(7);
    assert.deepEqual(seen.revisions, [5, 6, 7]);
    await seen.assertIsHistory(coordinator.connection, { after: 4 });
  });

  it("are all from the beginning, also of an empty bucket", async () => {
    await using coordinator = await TestCoordinator.start(NO_TRIMMING);
    await using client = await UpdateClient.connect(coordinator.server.url);
    const early = await client.observe({ since: "beginning" });
    await sixChanges(coordinator);
    const late = await client.observe({ since: "beginning" });
    for (const seen of [early, late]) {
      await seen.until(6);
      await seen.assertIsHistory(coordinator.connection);
    }
  });

  it("miss none that are written while subscriptions are made", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 2, ...NO_TRIMMING });
    await using client = await UpdateClient.connect(coordinator.server.url);
    const first = await coordinator.ok("tasks.create.first");
    const writing = writeUntil(coordinator, 300);
    const all = await Promise.all(Array.from({ length: 20 }, () => client.observe()));
    const { revision } = await writing;
    for (const seen of all) {
      await seen.until(revision);
      const after = (seen.revisions[0] ?? 0) - 1;
      assert.ok(after >= first.revision);
      await seen.assertIsHistory(coordinator.connection, { after });
    }
  });

  const filters: [string, UpdateFilter, number[]][] = [
    ["a prefix", { prefix: "P0." }, [1, 3, 5, 6]],
    ["a status", { status: "claimed" }, [3, 4]],
    ["one of several statuses", { status: ["claimed", "cancelled"] }, [3, 4, 6]],
    ["a session", { session: "s1" }, [3, 5]],
    ["one of several sessions", { session: ["s2", "s3"] }, [4, 6]],
    ["an event", { type: "task_created" }, [1, 2]],
    ["one of several events", { type: ["task_cancelled", "task_created"] }, [1, 2, 6]],
    ["all of several wishes", { prefix: "P0", status: "available", session: "s1" }, [5]],
    ["none of an empty list", { type: [] }, []],
  ];
  it("are those that pass the filter, live or from the history", async () => {
    await using coordinator = await TestCoordinator.start(NO_TRIMMING);
    await using client = await UpdateClient.connect(coordinator.server.url);
    const observeAll = (options: SubscribeOptions) =>
      Promise.all(filters.map(([, filter]) => client.observe({ ...options, filter })));
    const live = await observeAll({ since: "now" });
    const unfiltered = await client.observe({ since: "now" });
    await sixChanges(coordinator);
    const late = await observeAll({ since: "beginning" });
    const unfilteredLate = await client.observe({ since: "beginning" });
    await Promise.all([unfiltered.until(6), unfilteredLate.until(6)]);
    for (const [i, [name, , revisions]] of filters.entries()) {
      for (const seen of [live[i], late[i]]) {
        // Each subscription delivers by itself: one may have received more than the others.
        if (revisions.length > 0) await seen?.until(revisions.at(-1) ?? 0);
        assert.deepEqual(seen?.revisions, revisions, name);
        await seen.assertIsHistory(coordinator.connection, {
          wants: ({ revision }) => revisions.includes(revision),
        });
      }
    }
  });

  it("are refused for an invalid filter or beginning, and the error names the part", async () => {
    await using coordinator = await TestCoordinator.start();
    await using client = await UpdateClient.connect(coordinator.server.url);
    const wrong: [unknown, string][] = [
      [{ filter: { prefix: 7 } }, "filter.prefix"],
      [{ filter: { status: "done" } }, "filter.status"],
      [{ filter: { status: ["complete", "done"] } }, "filter.status"],
      [{ filter: { session: ["s1", 2] } }, "filter.session"],
      [{ filter: { type: "created" } }, "filter.type"],
      [{ filter: { task: "P0" } }, "filter.task"],
      [{ filter: null }, "filter"],
      [{ filter: "P0" }, "filter"],
      [{ since: "yesterday" }, "since"],
      [{ since: -1 }, "since"],
      [{ since: 1.5 }, "since"],
      [{ since: NaN }, "since"],
    ];
    for (const [options, field] of wrong) {
      const subscribing = client.coordinator.subscribeTaskUpdates(
        () => undefined,
        options as SubscribeOptions,
      );
      await assert.rejects(subscribing, (error) => {
        assert.ok(error instanceof TaskError, String(error));
        assert.equal(error.code, "invalid_request");
        assert.equal(error.details.field, field);
        assert.ok(error.message.startsWith(`${field}: `), error.message);
        return true;
      });
    }
  });
});

/** Creates tasks one after the other. */
async function writeUntil(coordinator: TestCoordinator, count: number) {
  let last = { revision: 0 };
  for (let i = 0; i < count; i++) last = await coordinator.ok(`tasks.create.t${i}`);
  return last;
}
