import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readHistory } from "../../src/nats/read-history.ts";
import { UpdateClient } from "../support/observed-updates.ts";
import { SteadyWriter } from "../support/steady-writer.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

const NO_TRIMMING = { settings: { history: 64 } };
/** The updates in one reply of `tasks.changes`, as the library requests them. */
const PAGE = 250;
/** The updates that the library keeps for one subscriber, in addition to a page. */
const QUEUE = 1_000;

async function importTasks(coordinator: TestCoordinator, count: number, more = {}): Promise<void> {
  const size = 100;
  for (let first = 0; first < count; first += size) {
    const tasks = Array.from({ length: Math.min(size, count - first) }, (_, i) => ({
      task_id: `task-${first + i}`,
      ...more,
    }));
    await coordinator.ok("tasks.import", { tasks });
  }
}

/** Counts the pages that are requested. */
async function countPages(coordinator: TestCoordinator): Promise<{ count: number }> {
  const pages = { count: 0 };
  const callback = (): void => {
    pages.count++;
  };
  coordinator.connection.subscribe("tasks.changes", { callback });
  await coordinator.connection.flush();
  return pages;
}

/** A callback whose promise the test resolves. */
function stuck(): { readonly work: () => Promise<void>; readonly free: () => void } {
  let free = (): void => undefined;
  const freed = new Promise<void>((resolve) => (free = resolve));
  return { work: () => freed, free };
}

describe("a slow subscriber", () => {
  it("keeps a limited number of updates in memory, delays no other, and misses none", async () => {
    await using coordinator = await TestCoordinator.start(NO_TRIMMING);
    await using client = await UpdateClient.connect(coordinator.server.url);
    const pages = await countPages(coordinator);
    const { work, free } = stuck();
    const slow = await client.observe({}, work);
    const fast = await client.observe();
    const count = 4_000;
    await importTasks(coordinator, count);
    await fast.until(count);
    assert.equal(await client.coordinator.claimTask("task-0", "s1"), true);
    await fast.until(count + 1);
    await fast.assertIsHistory(coordinator.connection);
    assert.deepEqual(slow.revisions, [1]);

    const before = pages.count;
    free();
    await slow.until(count + 1);
    await slow.assertIsHistory(coordinator.connection);
    // Updates that were not kept had to be read when the callback was free.
    const read = pages.count - before;
    assert.ok(read >= (count - QUEUE - PAGE) / PAGE, `only ${read} pages were read afterwards`);
  });

  it("reads a page only when the previous one is delivered", async () => {
    await using coordinator = await TestCoordinator.start(NO_TRIMMING);
    await using client = await UpdateClient.connect(coordinator.server.url);
    await importTasks(coordinator, 3 * PAGE);
    const pages = await countPages(coordinator);
    const pagesAt = new Map<number, number>();
    const seen = await client.observe({ since: "beginning" }, async ({ revision }) => {
      await new Promise((resolve) => setImmediate(resolve));
      pagesAt.set(revision, pages.count);
    });
    await seen.until(3 * PAGE);
    await seen.assertIsHistory(coordinator.connection);
    assert.deepEqual([pagesAt.get(PAGE - 1), pagesAt.get(2 * PAGE - 1)], [1, 2]);
  });

  it("gets large records, of which only a few fit into a reply", async () => {
    await using coordinator = await TestCoordinator.start(NO_TRIMMING);
    await using client = await UpdateClient.connect(coordinator.server.url);
    const { work, free } = stuck();
    const slow = await client.observe({}, work);
    const count = 300;
    const payload = "x".repeat(60_000);
    for (let i = 0; i < count; i++) await coordinator.ok(`tasks.create.big-${i}`, { payload });
    free();
    await slow.until(count);
    await slow.assertIsHistory(coordinator.connection);
    assert.deepEqual(client.logged, []);
  });
});

describe("many updates", () => {
  it("in a burst of ten thousand are delivered once each, in order", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 2, ...NO_TRIMMING });
    await using client = await UpdateClient.connect(coordinator.server.url);
    const synchronous = await client.observe();
    const asynchronous = await client.observe({}, () => new Promise(setImmediate));
    await importTasks(coordinator, 9_000);
    const late = await client.observe({ since: "beginning" });
    const claiming = Array.from({ length: 10 }, (_, i) =>
      coordinator.ok("tasks.next", { session_id: `s${i}`, max: 100 }),
    );
    await Promise.all(claiming);
    const all = [synchronous, asynchronous, late];
    await Promise.all(all.map((seen) => seen.until(10_000)));
    const history = await readHistory(coordinator.connection);
    assert.equal(history.length, 10_000);
    for (const seen of all) await seen.assertIsHistory(history);
  });

  it("reach a late subscriber from the beginning, while more are written", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 2, ...NO_TRIMMING });
    await using writing = await UpdateClient.connect(coordinator.server.url);
    await using client = await UpdateClient.connect(coordinator.server.url);
    await importTasks(coordinator, 2 * PAGE);
    const writer = new SteadyWriter(writing);
    const all = [];
    for (let i = 0; i < 5; i++) {
      await writer.untilWritten(20);
      all.push(await client.observe({ since: "beginning" }));
    }
    await writer.untilWritten(100);
    const last = await writer.stop();
    for (const seen of all) {
      await seen.until(last);
      await seen.assertIsHistory(coordinator.connection);
    }
  });
});
