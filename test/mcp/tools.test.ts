/** The six tools, with a real client of the protocol and a real coordinator. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { INSTRUCTIONS } from "../../src/mcp/server.ts";
import { McpClient, PROTOCOLS } from "../support/mcp-client.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

/** A model reads about four characters as one token. */
const CHARACTERS_PER_TOKEN = 4;
const MAX_LIST_TOKENS = 1_200;

describe("the tools of a coding agent", () => {
  for (const age of PROTOCOLS) {
    it(`take and finish tasks, with the ${age} protocol`, async () => {
      await using coordinator = await TestCoordinator.start();
      await using mcp = await McpClient.start({ url: coordinator.server.url, age, session: "s1" });
      const tasks = [
        { task_id: "P0.1", title: "Build", tags: ["fast"], payload: { file: "a.ts" }, priority: 0 },
        { task_id: "P0.2", title: "Test", depends_on: ["P0.1"] },
      ];
      const added = { created: 2, unchanged: 0, conflicting: [], notices: [] };
      assert.deepEqual(await mcp.call("add_tasks", { tasks }), added);
      const again = [{ ...tasks[0], title: "Other" }, tasks[1]];
      const unchanged = { created: 0, unchanged: 1, conflicting: ["P0.1"], notices: [] };
      assert.deepEqual(await mcp.call("add_tasks", { tasks: again }), unchanged);

      const { title, tags, payload, priority } = tasks[0] ?? {};
      assert.deepEqual(await mcp.call("next_task", { prefix: "P0.", tags: ["fast"] }), {
        status: "claimed",
        claim: "P0.1#1",
        task: { task_id: "P0.1", title, priority, tags, payload },
        notices: [],
      });
      const held = { status: "held", claim: "P0.1#1", notices: [] };
      assert.deepEqual(await mcp.call("report_progress", { note: "compiling" }), held);
      const shown = await mcp.call("show_tasks", { task_id: "P0.1" });
      assert.deepEqual([shown.claimed_by, shown.progress.note], ["s1", "compiling"]);

      const done = { claim: "P0.1#1", outcome: "done", result: { files: 3, name: "日本語 🚀" } };
      const finished = { status: "complete", unblocked: ["P0.2"], notices: [] };
      assert.deepEqual(await mcp.call("finish_task", done), finished);
      assert.deepEqual(await mcp.call("finish_task", done), finished, "a repeated call");
      const { task } = await coordinator.ok("tasks.get.P0.1");
      assert.deepEqual([task.result, task.completed_by], [done.result, "s1"]);

      const second = await mcp.call("next_task", { task_id: "P0.2" });
      assert.equal(second.claim, "P0.2#1");
      const failure = { claim: "P0.2#1", outcome: "failed", result: "no network" };
      assert.equal((await mcp.call("finish_task", failure)).status, "available");
      assert.equal((await coordinator.ok("tasks.get.P0.2")).task.error, "no network");

      const overview = await mcp.call("show_tasks", { prefix: "P0.", status: "complete" });
      assert.deepEqual(overview, {
        counts: { complete: 1, available: 1 },
        tasks: [{ task_id: "P0.1", title: "Build", status: "complete" }],
        more: false,
        notices: [],
      });
      assert.equal(mcp.stderr, "");
    });
  }

  it("give a task back with a delay and its cause", async () => {
    await using coordinator = await TestCoordinator.start();
    await using mcp = await McpClient.start({ url: coordinator.server.url, session: "s1" });
    await coordinator.ok("tasks.create.a");
    const { claim } = await mcp.call("next_task");
    const wrong = await mcp.refusal("finish_task", { claim, outcome: "done", delay_seconds: 5 });
    assert.match(wrong.message, /delay_seconds goes with give_back/);
    const back = { claim, outcome: "give_back", result: "no quota", delay_seconds: 3600 };
    assert.equal((await mcp.call("finish_task", back)).status, "available");
    const { task } = await coordinator.ok("tasks.get.a");
    assert.deepEqual([task.failures, task.last_event.reason], [0, "no quota"]);
    const none = await mcp.call("next_task", { wait_seconds: 0 });
    assert.deepEqual([none.status, none.reasons, none.call_again], ["none", { not_due: 1 }, true]);
    assert.equal(none.next_due_at, task.not_before);
  });

  it("say when no task is left", async () => {
    await using coordinator = await TestCoordinator.start();
    await using mcp = await McpClient.start({ url: coordinator.server.url, session: "s1" });
    const none = { status: "none", reasons: {}, next_due_at: null, call_again: false, notices: [] };
    assert.deepEqual(await mcp.call("next_task", { wait_seconds: 0 }), none);
    await coordinator.ok("tasks.create.a");
    await mcp.call("finish_task", { claim: (await mcp.call("next_task")).claim, outcome: "done" });
    const named = await mcp.call("next_task", { task_id: "a" });
    assert.deepEqual([named.reasons, named.call_again], [{ complete: 1 }, false]);
  });

  it("shorten what would fill the context, and leave out what says nothing", async () => {
    await using coordinator = await TestCoordinator.start();
    await using mcp = await McpClient.start({ url: coordinator.server.url, session: "s1" });
    await coordinator.ok("tasks.create.a", { description: "x".repeat(50_000) });
    const shown = await mcp.call("show_tasks", { task_id: "a" });
    assert.match(shown.description, /^x{4000}\.\.\. \(46000 more characters\)$/);
    const { task } = await mcp.call("next_task");
    assert.match(task.description, /^x{40000}\.\.\. \(10000 more characters\)$/);
    assert.deepEqual(Object.keys(task), ["task_id", "description"]);
  });

  it("count no more than 5,000 tasks of a prefix, and say so", async () => {
    await using coordinator = await TestCoordinator.start();
    for (let part = 0; part < 6; part++) {
      const tasks = Array.from({ length: 1_000 }, (_, i) => ({ task_id: `p.${part}.${i}` }));
      await coordinator.ok("tasks.import", { tasks });
    }
    await using mcp = await McpClient.start({ url: coordinator.server.url, session: "s1" });
    const shown = await mcp.call("show_tasks", { prefix: "p.", limit: 1 });
    assert.deepEqual(
      [shown.counts, shown.counts_of],
      [{ available: 5_000 }, "the first 5000 tasks only"],
    );
    const few = await mcp.call("show_tasks", { prefix: "p.1.", limit: 1 });
    assert.deepEqual([few.counts, few.counts_of], [{ available: 1_000 }, undefined]);
  });

  it(`take at most ${MAX_LIST_TOKENS} tokens of the context`, async () => {
    await using coordinator = await TestCoordinator.start();
    for (const age of PROTOCOLS) {
      await using mcp = await McpClient.start({ url: coordinator.server.url, age });
      const { tools } = await mcp.client.listTools();
      const names = tools.map(({ name }) => name);
      const expected = ["next_task", "report_progress", "finish_task", "add_tasks", "show_tasks"];
      assert.deepEqual(names, [...expected, "wait_for"]);
      const tokens = JSON.stringify({ tools }).length / CHARACTERS_PER_TOKEN;
      assert.ok(tokens <= MAX_LIST_TOKENS, `${tokens} tokens`);
      assert.equal(mcp.client.getInstructions(), INSTRUCTIONS);
      for (const { description = "", inputSchema } of tools) {
        assert.ok(description.length < 2_000);
        for (const [name, argument] of Object.entries(inputSchema.properties ?? {})) {
          assert.ok("type" in (argument as object), `some clients refuse ${name} without a type`);
        }
      }
    }
  });
});
