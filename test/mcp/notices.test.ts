/** What a model learns although it did not ask. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Notices } from "../../src/mcp/notices.ts";
import { McpClient } from "../support/mcp-client.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

describe("the next reply says", () => {
  it("that a claim is lost", async () => {
    await using coordinator = await TestCoordinator.start();
    await using mcp = await McpClient.start({ url: coordinator.server.url, session: "s1" });
    for (const id of ["a", "b"]) await coordinator.ok(`tasks.create.${id}`);
    await mcp.call("next_task");
    const both = await mcp.call("next_task");
    assert.deepEqual(both.notices, ["You hold a#1, too: finish each of them."]);
    // It ends the wait, so that the model learns it at once.
    const waiting = mcp.call("wait_for", { task_ids: ["b"] });
    await coordinator.ok("tasks.requeue.a", { reason: "wrong agent" });
    const { status, notices } = await waiting;
    assert.equal(status, "none");
    assert.deepEqual(notices, ["a#1 is lost: stop working on it and publish nothing."]);
    const lost = { status: "lost", claim: "a#1", notices: [] };
    assert.deepEqual(await mcp.call("report_progress", { claim: "a#1" }), lost);
    const refusal = await mcp.refusal("finish_task", { claim: "a#1", outcome: "done" });
    assert.deepEqual([refusal.code, refusal.next.slice(0, 4)], ["lease_lost", "Stop"]);
    assert.match(refusal.message, /wrong agent/);
    assert.equal((await mcp.call("report_progress")).status, "held");
  });

  it("that a task was cancelled", async () => {
    await using coordinator = await TestCoordinator.start();
    await using mcp = await McpClient.start({ url: coordinator.server.url, session: "s1" });
    await coordinator.ok("tasks.create.a");
    const { claim } = await mcp.call("next_task");
    await coordinator.ok("tasks.cancel.a", { reason: "no longer needed" });
    const waiting = await mcp.call("wait_for", { prefix: "none." });
    const text = "a#1 was cancelled: stop working on it, then finish_task with give_back.";
    assert.deepEqual(waiting.notices, [text]);
    assert.equal((await mcp.call("report_progress")).status, "cancel");
    const end = await mcp.call("finish_task", { claim, outcome: "give_back" });
    assert.equal(end.status, "cancelled");
  });

  it("that a task was cancelled while its claim was answered", async () => {
    await using coordinator = await TestCoordinator.start();
    await using mcp = await McpClient.start({ url: coordinator.server.url, session: "s1" });
    for (let number = 1; number <= 10; number++) {
      const id = `t${number}`;
      await coordinator.ok(`tasks.create.${id}`);
      const isClaimed = coordinator.fact("task_written", ({ event }) => event === "task_claimed");
      const answered = mcp.call("next_task");
      await isClaimed;
      // The agent does not watch the task yet, or only just.
      await coordinator.ok(`tasks.cancel.${id}`);
      const { claim, notices: early } = await answered;
      const wait = { prefix: "none.", wait_seconds: 20 };
      const notices = early.length > 0 ? early : (await mcp.call("wait_for", wait)).notices;
      const text = `${id}#1 was cancelled: stop working on it, then finish_task with give_back.`;
      assert.deepEqual(notices, [text]);
      await mcp.call("finish_task", { claim, outcome: "give_back" });
    }
  });

  it("that a task is finished for which the session has waited", async () => {
    await using coordinator = await TestCoordinator.start();
    await using mcp = await McpClient.start({ url: coordinator.server.url, session: "s1" });
    for (const id of ["a", "b", "c"]) await coordinator.ok(`tasks.create.${id}`);
    const wait = { task_ids: ["b", "c"], wait_seconds: 0 };
    assert.equal((await mcp.call("wait_for", wait)).status, "none");
    await coordinator.ok("tasks.cancel.b");
    await coordinator.ok("tasks.cancel.a");
    const { notices } = await mcp.call("wait_for", { prefix: "none.", wait_seconds: 10 });
    assert.deepEqual(notices, ["b, for which you waited, is cancelled."]);
  });

  it("at most three things, and the rest with the reply after it", () => {
    const notices = new Notices();
    for (const text of ["a", "b", "c", "d"]) notices.add("s1", text);
    notices.add("s2", "e");
    assert.deepEqual(notices.take("s1"), ["a", "b", "c"]);
    assert.ok(notices.has("s1"));
    assert.deepEqual(notices.take("s1"), ["d"]);
    assert.equal(notices.has("s1"), false);
    assert.deepEqual(notices.take("s2"), ["e"]);
  });
});
