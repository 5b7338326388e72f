import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { UpdateClient } from "../support/observed-updates.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

const NO_TRIMMING = { settings: { history: 64 } };

describe("the callback of a subscription", () => {
  it("may throw or reject: that is logged, and the subscription continues", async () => {
    await using coordinator = await TestCoordinator.start(NO_TRIMMING);
    await using client = await UpdateClient.connect(coordinator.server.url);
    const throwing = await client.observe({}, ({ task_id }) => {
      if (task_id === "a") throw new Error("thrown on purpose");
    });
    const rejecting = await client.observe({}, async ({ task_id }) => {
      await Promise.resolve();
      if (task_id === "a") throw new Error("rejected on purpose");
    });
    for (const id of ["a", "b", "c"]) await coordinator.ok(`tasks.create.${id}`);
    for (const seen of [throwing, rejecting]) {
      await seen.until(3);
      await seen.assertIsHistory(coordinator.connection);
    }
    assert.equal(client.logged.length, 2, client.logged.join("\n"));
    for (const [seen, words] of [
      [throwing, "thrown on purpose"],
      [rejecting, "rejected on purpose"],
    ] as const) {
      assert.ok(client.logged.some((line) => line.includes(seen.id) && line.includes(words)));
    }
  });

  it("may also throw as onRemoved", async () => {
    await using coordinator = await TestCoordinator.start(NO_TRIMMING);
    await using client = await UpdateClient.connect(coordinator.server.url);
    const seen = await client.observe();
    const fail = () => Promise.reject(new Error("on purpose"));
    await client.coordinator.subscribeTaskUpdates(seen.add, { onRemoved: fail });
    await coordinator.ok("tasks.create.a");
    await coordinator.connection.request("$KV.tasks.a", "no task");
    await coordinator.ok("tasks.create.b");
    await seen.untilSeen(() => seen.revisions.filter((one) => one === 3).length === 2, "3 twice");
    assert.match(client.logged.join("\n"), /on purpose/);
  });

  it("gets one update after the other if it returns a promise of any kind", async () => {
    await using coordinator = await TestCoordinator.start(NO_TRIMMING);
    await using client = await UpdateClient.connect(coordinator.server.url);
    for (const id of ["a", "b", "c", "d"]) await coordinator.ok(`tasks.create.${id}`);
    for (const make of [toPromise, toThenable]) {
      let running = 0;
      const seen = await client.observe({ since: "beginning" }, () => {
        assert.equal(++running, 1);
        return make(() => running--);
      });
      await seen.until(4);
    }
    assert.deepEqual(client.logged, []);
  });

  it("may claim, release and ask", async () => {
    await using coordinator = await TestCoordinator.start(NO_TRIMMING);
    await using client = await UpdateClient.connect(coordinator.server.url);
    const session = client.coordinator;
    const seen = await client.observe({}, async ({ type, task_id }) => {
      if (type === "task_created") assert.equal(await session.claimTask(task_id, "s1"), true);
      if (type !== "task_claimed") return;
      assert.equal((await session.getTaskStatus(task_id))?.claimed_by, "s1");
      assert.equal(await session.releaseTask(task_id, "s1", "complete"), true);
    });
    for (let i = 0; i < 20; i++) await coordinator.ok(`tasks.create.t${i}`);
    await seen.until(60);
    await seen.assertIsHistory(coordinator.connection);
    assert.deepEqual(client.logged, []);
    const { tasks } = await coordinator.ok("tasks.stats");
    assert.equal(tasks.complete, 20);
  });

  it("may end its own subscription, and gets nothing more, not even of the same page", async () => {
    await using coordinator = await TestCoordinator.start(NO_TRIMMING);
    await using client = await UpdateClient.connect(coordinator.server.url);
    for (const id of ["a", "b", "c"]) await coordinator.ok(`tasks.create.${id}`);
    const all = await client.observe({ since: "beginning" });
    const endingIn = async (since: "beginning" | "now", wait: () => unknown) => {
      const seen = await client.observe({ since }, async () => {
        await wait();
        assert.equal(client.coordinator.unsubscribe(seen.id), true);
        await wait();
      });
      return seen;
    };
    const ending = [
      await endingIn("beginning", () => undefined),
      await endingIn("beginning", () => new Promise(setImmediate)),
      await endingIn("now", () => undefined),
    ];
    for (const id of ["d", "e"]) await coordinator.ok(`tasks.create.${id}`);
    await all.until(5);
    for (const seen of ending) await seen.untilSeen(() => true, "anything");
    assert.deepEqual(
      ending.map(({ revisions }) => revisions),
      [[1], [1], [4]],
    );
    assert.equal(client.coordinator.unsubscribe(ending[0]?.id ?? ""), false);
    assert.deepEqual(client.logged, []);
  });

  it("may subscribe", async () => {
    await using coordinator = await TestCoordinator.start(NO_TRIMMING);
    await using client = await UpdateClient.connect(coordinator.server.url);
    const inner: Awaited<ReturnType<UpdateClient["observe"]>>[] = [];
    const outer = await client.observe({}, async ({ revision }) => {
      inner.push(await client.observe({ since: revision - 1 }));
    });
    for (const id of ["a", "b", "c"]) await coordinator.ok(`tasks.create.${id}`);
    await outer.until(3);
    await coordinator.ok("tasks.create.d");
    await outer.until(4);
    for (const [i, seen] of inner.slice(0, 3).entries()) {
      await seen.until(4);
      await seen.assertIsHistory(coordinator.connection, { after: i });
    }
    assert.ok(inner.length >= 3);
  });

  it("is no longer called after its subscription was ended elsewhere", async () => {
    await using coordinator = await TestCoordinator.start(NO_TRIMMING);
    await using client = await UpdateClient.connect(coordinator.server.url);
    for (const id of ["a", "b", "c"]) await coordinator.ok(`tasks.create.${id}`);
    let finish = (): void => undefined;
    const slow = await client.observe({ since: "beginning" }, () => {
      return new Promise<void>((resolve) => (finish = resolve));
    });
    await slow.until(1);
    assert.equal(client.coordinator.unsubscribe(slow.id), true);
    finish();
    const all = await client.observe({ since: "beginning" });
    await all.until(3);
    assert.deepEqual(slow.revisions, [1]);
  });
});

/** Both resolve later. */
function toPromise(work: () => void): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => {
      work();
      resolve();
    });
  });
}

function toThenable(work: () => void): object {
  return {
    then: (fulfilled: () => void) => {
      setImmediate(() => {
        work();
        fulfilled();
      });
    },
  };
}
