/** What a model is told when something is wrong: what happened, and what to do next. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { McpClient, type ToolAnswer } from "../support/mcp-client.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

describe("a refusal", () => {
  it("names wrong arguments and those that exist", async () => {
    await using coordinator = await TestCoordinator.start();
    await using mcp = await McpClient.start({ url: coordinator.server.url, session: "s1" });
    const cases: readonly (readonly [tool: string, args: object, message: RegExp])[] = [
      ["next_task", { tags: "fast" }, /^tags: .*expected array/],
      ["next_task", { wait: 3 }, /no argument wait; there are task_id, prefix, tags, wait_seconds/],
      ["next_task", { wait_seconds: -1 }, /^wait_seconds: must be from 0 to 3600 seconds$/],
      ["next_task", { as: "a b\u0000" }, /^as: must be a short name/],
      ["next_task", { task_id: "a b" }, /task_id/],
      ["finish_task", {}, /^claim: .*; outcome: /],
      ["finish_task", { claim: "a#1", outcome: "ok" }, /"done"\|"failed"\|"give_back"/],
      ["finish_task", { claim: 7, outcome: "done" }, /^claim: .*expected string/],
      ["report_progress", { note: ["x"] }, /^note: /],
      ["add_tasks", { tasks: [{ title: "x" }] }, /^tasks\.0\.task_id: /],
      ["add_tasks", { tasks: [{ task_id: "a", prio: 1 }] }, /prio/],
      ["add_tasks", { tasks: [{ task_id: "a", depends_on: ["a"] }] }, /a -> a/],
      ["finish_task", { claim: "", outcome: "done" }, /"" is not a claim/],
      [
        "add_tasks",
        { tasks: [{ task_id: "a", title: "\ud800" }] },
        /^tasks\.0\.title: .*surrogate/,
      ],
      ["show_tasks", { status: "open" }, /^status: /],
      ["show_tasks", { task_id: "none" }, /^there is no task none$/],
      ["wait_for", { task_ids: ["none"] }, /^there is no task none$/],
      ["wait_for", { since: "now" }, /^since: /],
    ];
    for (const [tool, args, message] of cases) {
      const refusal = await mcp.refusal(tool, args);
      assert.match(refusal.message, message, JSON.stringify([tool, args, refusal]));
      assert.ok(["invalid_request", "not_found"].includes(refusal.code), refusal.code);
      assert.notEqual(refusal.next, "");
      assert.deepEqual(refusal.notices, []);
    }
    assert.equal((await coordinator.ok("tasks.stats")).total, 0);
  });

  it("does not come for an argument that is empty and need not be given", async () => {
    await using coordinator = await TestCoordinator.start();
    await using mcp = await McpClient.start({ url: coordinator.server.url, session: "s1" });
    await coordinator.ok("tasks.create.a");
    const empty = { task_id: "", prefix: "", tags: [], as: null };
    assert.equal((await mcp.call("next_task", empty)).claim, "a#1");
    assert.equal((await mcp.call("report_progress", { claim: "", note: null })).status, "held");
    const shown = await mcp.call("show_tasks", { task_id: "", status: "", prefix: "" });
    assert.deepEqual(shown.counts, { ready: 0, claimed: 1 });
    await coordinator.ok("tasks.create.b");
    const all = { task_ids: [], prefix: "", since: 1 };
    const { changes, cursor } = await mcp.call("wait_for", all);
    assert.deepEqual(
      [changes.map(({ task_id: id }: { task_id: string }) => id), cursor],
      [["b"], 3],
    );
    const late = await mcp.call("wait_for", { since: 1_000_000, wait_seconds: 0 });
    assert.deepEqual([late.status, late.cursor], ["none", 3], "no cursor that does not exist");
  });

  it("of a claim says who holds the task", async () => {
    await using coordinator = await TestCoordinator.start();
    const { url } = coordinator.server;
    await using one = await McpClient.start({ url, session: "s1" });
    await using other = await McpClient.start({ url, session: "s2" });
    await coordinator.ok("tasks.create.a");
    const refusalOf = (mcp: McpClient, claim: string): Promise<ToolAnswer> =>
      mcp.refusal("finish_task", { claim, outcome: "done" });

    assert.match((await refusalOf(one, "a#1")).message, /nobody holds a, which is available/);
    const { claim } = await one.call("next_task");
    const ofOther = await refusalOf(other, claim);
    assert.deepEqual([ofOther.code, ofOther.status], ["not_holder", "error"]);
    assert.match(ofOther.message, /^You do not hold a#1: s1 holds a as a#1\.$/);
    assert.match(ofOther.next, /^Stop working on it, publish nothing/);
    assert.match((await refusalOf(one, "b#1")).message, /there is no task b/);
    const malformed = await refusalOf(one, "a");
    assert.match(malformed.message, /"a" is not a claim: it looks like P0\.1\.2#3/);
    assert.equal(malformed.next, "You hold a#1.");
    assert.match((await refusalOf(one, "a#2")).message, /s1 holds a as a#1/);
    const nothing = await other.refusal("report_progress");
    assert.deepEqual([nothing.code, nothing.message], ["not_holder", "You hold no task."]);
    await one.call("finish_task", { claim, outcome: "done" });
    const ended = await one.refusal("finish_task", { claim, outcome: "failed" });
    assert.equal(ended.message, "a#1 has already ended as done");
  });

  it("of a result that is too large leaves the claim", async () => {
    await using coordinator = await TestCoordinator.start();
    await using mcp = await McpClient.start({ url: coordinator.server.url, session: "s1" });
    await coordinator.ok("tasks.create.a");
    const { claim } = await mcp.call("next_task");
    const result = "x".repeat(1024 * 1024);
    const refusal = await mcp.refusal("finish_task", { claim, outcome: "done", result });
    assert.equal(refusal.code, "too_large");
    assert.match(refusal.next, /^You still hold a#1\. .* shorter result/);
    assert.ok(JSON.stringify(refusal).length < 1_000);
    const short = await mcp.call("finish_task", { claim, outcome: "done", result: "a file" });
    assert.equal(short.status, "complete");
  });

  it("says that no coordinator runs, and later calls find it", async () => {
    await using nowhere = await McpClient.start({ url: "nats://127.0.0.1:1", session: "s1" });
    const refusal = await nowhere.refusal("next_task", { wait_seconds: 0 });
    assert.equal(refusal.code, "unavailable");
    assert.match(refusal.next, /if-coordinator dev/);

    await using coordinator = await TestCoordinator.start({ workers: 0 });
    await using mcp = await McpClient.start({ url: coordinator.server.url, session: "s1" });
    const silent = await mcp.refusal("next_task", { wait_seconds: 0 });
    assert.equal(silent.code, "unavailable");
    assert.match(silent.message, /nobody answers/);
    await coordinator.addWorkers(1);
    const found = await mcp.call("next_task", { wait_seconds: 0 });
    assert.equal(found.status, "none");
  });
});
