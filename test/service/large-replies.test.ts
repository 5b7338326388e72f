/** Records so large that NATS cannot carry a page of the usual length. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Kvm } from "@nats-io/kv";
import { Coordinator, EventBus } from "../../src/index.ts";
import { withFaults } from "../support/faulty-stores.ts";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

const LARGE = "x".repeat(60_000);
const COUNT = 50;
const ids = Array.from({ length: COUNT }, (_, i) => `t${String(i).padStart(2, "0")}`);

async function createLarge(coordinator: TestCoordinator): Promise<void> {
  for (const id of ids) await coordinator.ok(`tasks.create.${id}`, { payload: LARGE });
}

describe("a page of records of 60 KB", () => {
  let coordinator: TestCoordinator;
  const reads: { readonly entries: number; readonly bytes: number }[] = [];
  before(async () => {
    coordinator = await TestCoordinator.start({
      wrapStores: withFaults({
        tasks: {
          entriesAfter: (real) => async (revision, limit, taskId) => {
            const entries = await real.entriesAfter(revision, limit, taskId);
            const bytes = entries.reduce((sum, entry) => {
              return sum + ("task" in entry ? real.prepare(entry.task).record.bytes.length : 0);
            }, 0);
            reads.push({ entries: entries.length, bytes });
            return entries;
          },
        },
      }),
    });
    await createLarge(coordinator);
  });
  after(() => coordinator[Symbol.asyncDispose]());

  it("of tasks ends before it is too large, and the next page continues", async () => {
    const found: string[] = [];
    let pages = 0;
    let cursor: string | null = null;
    do {
      const body: object = cursor === null ? {} : { cursor };
      const page: Json = await coordinator.ok("tasks.list", body);
      found.push(...page.tasks.map(({ task_id }: Json) => task_id as string));
      cursor = page.next_cursor as string | null;
      pages++;
    } while (cursor !== null);
    assert.deepEqual(found, ids);
    // 17 records fit into 1 MiB.
    assert.equal(pages, Math.ceil(COUNT / 17));
  });

  it("of changes ends before it is too large, and reads only what it holds", async () => {
    const found: string[] = [];
    let page: Json;
    do {
      reads.length = 0;
      const since = found.length;
      page = await coordinator.ok("tasks.changes", { since });
      assert.equal(page.complete, true);
      assert.equal(page.last_revision, COUNT);
      found.push(...page.changes.map(({ task_id }: Json) => task_id as string));
      assert.equal(reads.length, 1);
      assert.ok(Number(reads[0]?.bytes) < 1_200_000, JSON.stringify(reads));
    } while (page.has_more === true);
    assert.deepEqual(found, ids);
  });

  it("of a history ends before it is too large", async () => {
    await coordinator.ok("tasks.create.old", { payload: LARGE });
    for (let i = 0; i < 19; i++) await coordinator.ok("tasks.update.old", { title: `${i}` });
    const titles: string[] = [];
    let page: Json;
    let since = 0;
    do {
      page = await coordinator.ok("tasks.history.old", { since, limit: 10 });
      titles.push(...page.entries.map(({ task }: Json) => task.title as string));
      since = page.entries.at(-1).revision as number;
    } while (page.has_more === true);
    // The bucket keeps 16 records of a task.
    assert.deepEqual(
      titles,
      Array.from({ length: 16 }, (_, i) => String(i + 3)),
    );
    const none = await coordinator.ok("tasks.history.old", { since });
    assert.deepEqual([none.entries, none.has_more], [[], false]);
  });

  it("of a history is joined with the next ones by the library", async () => {
    await coordinator.ok("tasks.create.older", { payload: LARGE });
    for (let i = 0; i < 15; i++) {
      await coordinator.ok("tasks.update.older", { description: "y".repeat(4_000 + i) });
    }
    const bus = new EventBus({ backend: "nats", config: { servers: coordinator.server.url } });
    assert.ok(await bus.connect());
    const { entries, has_more } = await new Coordinator(bus).tasks.history("older");
    await bus.disconnect();
    assert.deepEqual([entries.length, has_more], [16, false]);
  });

  it("of sessions ends before it is too large", async () => {
    const metadata = { text: LARGE };
    for (const id of ids) await coordinator.ok(`sessions.register.${id}`, { metadata });
    const found: string[] = [];
    let cursor: string | null = null;
    do {
      const body: object = cursor === null ? {} : { cursor };
      const page: Json = await coordinator.ok("sessions.list", body);
      found.push(...page.sessions.map(({ session_id }: Json) => session_id as string));
      cursor = page.next_cursor as string | null;
    } while (cursor !== null);
    assert.deepEqual(found, ids);
  });
});

describe("tasks.next for more tasks than one reply carries", () => {
  it("claims the tasks that fit, and does not write the others", async () => {
    await using coordinator = await TestCoordinator.start();
    await createLarge(coordinator);
    const claimed: string[] = [];
    const perReply: number[] = [];
    for (;;) {
      const { claims } = await coordinator.ok("tasks.next", { session_id: "s", max: 30 });
      if (claims.length === 0) break;
      perReply.push(claims.length as number);
      claimed.push(...claims.map(({ task }: Json) => task.task_id as string));
    }
    assert.deepEqual(claimed, ids);
    assert.equal(perReply.length, Math.ceil(COUNT / 17), JSON.stringify(perReply));
    const { last_revision } = await coordinator.ok("tasks.changes", { since: COUNT });
    assert.equal(last_revision, 2 * COUNT, "one write each for the creation and the claim");
  });

  it("claims the tasks that fit after it was parked", async () => {
    await using coordinator = await TestCoordinator.start();
    const waiting = coordinator.ok("tasks.next", { session_id: "s", max: 30, wait_seconds: 10 });
    await coordinator.until("tasks.stats", ({ worker }) => worker.waiting === 1);
    const tasks = ids.slice(0, 16).map((task_id) => ({ task_id, payload: LARGE }));
    await coordinator.ok("tasks.import", { tasks });
    assert.ok((await waiting).claims.length >= 1);
    const { tasks: counts } = await coordinator.ok("tasks.stats");
    assert.equal(counts.claimed, (await waiting).claims.length);
  });
});

describe("a record that no reply can carry", () => {
  it("is named together with where to go on, and a subscriber goes on by itself", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    const bucket = await new Kvm(coordinator.connection).open("tasks");
    // Fields that the record leaves out are in the reply, so the reply is larger.
    const huge = JSON.stringify({ payload: "x".repeat(1_048_576 - 30) });
    const revision = await bucket.put("huge", huge);
    await coordinator.ok("tasks.create.b");

    const { changes, has_more } = await coordinator.ok("tasks.changes");
    assert.deepEqual([changes.length, has_more], [1, true]);
    const error = await coordinator.refused("tasks.changes", { since: 1 });
    assert.equal(error.code, "too_large");
    assert.match(error.message, /revision 2, a record of task huge, has \d+ bytes .*since 2$/);
    assert.deepEqual([error.task_id, error.since], ["huge", revision]);
    const rest = await coordinator.ok("tasks.changes", { since: error.since });
    assert.deepEqual(
      rest.changes.map(({ task_id }: Json) => task_id as string),
      ["b"],
    );

    const listing = await coordinator.ok("tasks.list");
    assert.equal(listing.tasks.length, 1);
    const unlisted = await coordinator.refused("tasks.list", { cursor: listing.next_cursor });
    assert.match(unlisted.message, /the record of task huge has \d+ bytes .* go on after it/);
    const { tasks } = await coordinator.ok("tasks.list", { cursor: unlisted.cursor });
    assert.deepEqual(
      tasks.map(({ task_id }: Json) => task_id as string),
      ["b"],
    );

    const bus = new EventBus({ backend: "nats", config: { servers: coordinator.server.url } });
    assert.ok(await bus.connect());
    const told = await new Promise<string[]>((resolve) => {
      const seen: string[] = [];
      void new Coordinator(bus).subscribeTaskUpdates(
        (update) => {
          seen.push(`${update.task_id} ${String(update.transitions_missing)}`);
          if (seen.length === 2) resolve(seen);
        },
        { since: "beginning" },
      );
    });
    assert.deepEqual(told, ["a false", "b true"]);
    await bus.disconnect();
  });
});
