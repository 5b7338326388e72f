/** Waits: they end when there is something to say, and outlast a coordinator. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { McpClient, PROTOCOLS } from "../support/mcp-client.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

/** Resolves when so many requests wait for a task. */
async function untilParked(coordinator: TestCoordinator, count: number): Promise<void> {
  await coordinator.until("tasks.stats", ({ worker }) => worker.waiting === count);
}

/** Resolves when a worker answers again. */
async function isBack(coordinator: TestCoordinator): Promise<void> {
  for (;;) {
    // The connection of the test may be broken, too.
    const reply = await coordinator.request("tasks.stats", {}, 500).catch(() => null);
    if (reply?.ok === true) return;
  }
}

describe("next_task", () => {
  it("waits for a task, and for one by its id", async () => {
    await using coordinator = await TestCoordinator.start();
    await using mcp = await McpClient.start({ url: coordinator.server.url, session: "s1" });
    const any = mcp.call("next_task");
    await untilParked(coordinator, 1);
    await coordinator.ok("tasks.create.a");
    assert.equal((await any).claim, "a#1");

    await coordinator.ok("tasks.create.b", { depends_on: ["a"] });
    const one = mcp.call("next_task", { task_id: "b" });
    const blocked = await mcp.call("next_task", { task_id: "b", wait_seconds: 0 });
    assert.deepEqual([blocked.reasons, blocked.call_again], [{ blocked: 1 }, true]);
    await mcp.call("finish_task", { claim: "a#1", outcome: "done" });
    assert.equal((await one).claim, "b#1");
    const url = coordinator.server.url;
    await using other = await McpClient.start({ url, session: "s2" });
    const taken = await other.call("next_task", { task_id: "b", wait_seconds: 0 });
    assert.deepEqual([taken.reasons, taken.claimed_by], [{ claimed: 1 }, "s1"]);
  });

  for (const age of PROTOCOLS) {
    it(`tells a client that wants to know that the call is alive, with the ${age} protocol`, async () => {
      await using coordinator = await TestCoordinator.start();
      await using mcp = await McpClient.start({ url: coordinator.server.url, age });
      const progress: object[] = [];
      const onprogress = (one: object): void => {
        progress.push(one);
        void coordinator.ok("tasks.create.a");
      };
      const { status } = await mcp.call("next_task", { wait_seconds: 30 }, { onprogress });
      assert.equal(status, "claimed");
      assert.deepEqual(progress, [{ progress: 5, total: 30, message: "waiting" }]);
    });
  }

  it("outlasts the coordinator, and claims once", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 0 });
    const first = await coordinator.addWorkers(1);
    await using mcp = await McpClient.start({ url: coordinator.server.url, session: "s1" });
    const next = mcp.call("next_task", { wait_seconds: 60 });
    await untilParked(coordinator, 1);
    await first.stop();
    await coordinator.addWorkers(1);
    await untilParked(coordinator, 1);
    await coordinator.server.kill();
    await coordinator.server.restart();
    await isBack(coordinator);
    await untilParked(coordinator, 1);
    await coordinator.ok("tasks.create.a");
    await coordinator.ok("tasks.create.b");
    // A worker may have handed it out to the request that was lost with the connection, and taken it back.
    assert.match((await next).claim, /^a#[12]$/);
    assert.equal((await coordinator.ok("tasks.get.b")).task.attempt, 0);
  });

  it("that was cancelled leaves no task claimed, or the next call gets it", async () => {
    await using coordinator = await TestCoordinator.start();
    await using mcp = await McpClient.start({ url: coordinator.server.url, session: "s1" });
    const cancelled = new AbortController();
    const { signal } = cancelled;
    const next = mcp.call("next_task", {}, { signal });
    await untilParked(coordinator, 1);
    cancelled.abort();
    await assert.rejects(next);
    const since = coordinator.facts.length;
    await coordinator.ok("tasks.create.a");

    // Cancelled when the task is claimed and the answer is under way.
    const late = new AbortController();
    const unanswered = mcp.call("next_task", { prefix: "a" }, { signal: late.signal });
    await coordinator.fact("task_written", ({ event }) => event === "task_claimed", since);
    late.abort();
    // If the first call had claimed it, the second one can have its answer already.
    const answer = await unanswered.catch(() => null);
    const { claim } = answer ?? (await mcp.call("next_task"));
    assert.match(claim, /^a#\d$/);
    const end = await mcp.call("finish_task", { claim, outcome: "done" });
    assert.equal(end.status, "complete");
  });
});

describe("wait_for", () => {
  it("returns when a named task is finished, and at once if it is", async () => {
    await using coordinator = await TestCoordinator.start();
    const { url } = coordinator.server;
    await using mcp = await McpClient.start({ url, session: "s1" });
    await using other = await McpClient.start({ url, session: "s2" });
    for (const id of ["a", "b"]) await coordinator.ok(`tasks.create.${id}`);
    const waiting = mcp.call("wait_for", { task_ids: ["a", "b"] });
    const { claim } = await other.call("next_task", { task_id: "a" });
    await other.call("finish_task", { claim, outcome: "done" });
    const change = { task_id: "a", status: "complete", event: "task_completed", by: "s2" };
    const { changes, cursor, status } = await waiting;
    assert.deepEqual([status, changes], ["changed", [change]]);
    assert.deepEqual((await mcp.call("wait_for", { task_ids: ["b", "a"] })).changes, [change]);
    const rest = { task_ids: ["a", "b"], since: cursor, wait_seconds: 0 };
    assert.deepEqual((await mcp.call("wait_for", rest)).changes, []);
    await coordinator.ok("tasks.cancel.b");
    assert.deepEqual(
      (await mcp.call("wait_for", rest)).changes.map(({ task_id }: { task_id: string }) => task_id),
      ["a", "b"],
    );
  });

  it("returns what others change below a prefix, and misses nothing between two calls", async () => {
    await using coordinator = await TestCoordinator.start();
    await using mcp = await McpClient.start({ url: coordinator.server.url, session: "s1" });
    const waiting = mcp.call("wait_for", { prefix: "P1." });
    await mcp.call("add_tasks", { tasks: [{ task_id: "P1.own" }, { task_id: "P2.a" }] });
    await coordinator.ok("tasks.create.P1.a", { session_id: "s2" });
    const { changes, cursor } = await waiting;
    const created = { status: "available", event: "task_created", by: "s2" };
    assert.deepEqual(changes, [{ task_id: "P1.a", ...created }]);
    for (let i = 0; i < 25; i++) {
      await coordinator.ok(`tasks.create.P1.b${i}`, { session_id: "s2" });
    }
    const page = await mcp.call("wait_for", { prefix: "P1.", since: cursor, wait_seconds: 10 });
    assert.deepEqual([page.changes.length, page.more], [20, true]);
    const rest = await mcp.call("wait_for", { prefix: "P1.", since: page.cursor });
    assert.deepEqual([rest.changes.length, rest.more], [5, undefined]);
    assert.equal(rest.changes.at(-1).task_id, "P1.b24");
  });
});
