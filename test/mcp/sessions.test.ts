/** Whose tasks they are, and that they return to the pool when the client goes. */
import assert from "node:assert/strict";
import { basename } from "node:path";
import { describe, it } from "node:test";
import { McpClient } from "../support/mcp-client.ts";
import { startHearing } from "../support/system-account.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

async function sessionsOf(coordinator: TestCoordinator): Promise<string[]> {
  const { sessions } = await coordinator.ok("sessions.list");
  return sessions.map(({ session_id: id }: { session_id: string }) => id);
}

/** Claims a task that is created for this, and returns its holder. */
async function holderOf(coordinator: TestCoordinator, mcp: McpClient): Promise<string> {
  await coordinator.ok("tasks.create");
  const { claim, task } = await mcp.call("next_task");
  const holder = (await coordinator.ok(`tasks.get.${task.task_id}`)).task.claimed_by;
  await mcp.call("finish_task", { claim, outcome: "done" });
  return holder;
}

describe("the session of an agent", () => {
  it("is what the user, the client or the folder says, and no two agents share one", async () => {
    await using coordinator = await TestCoordinator.start();
    await using temp = await TempFolder.create();
    await using folder = await TempFolder.create();
    const { url } = coordinator.server;
    const inFolder = { url, cwd: folder.path, env: { TMPDIR: temp.path } };
    const holder = async (mcp: McpClient): Promise<string> => await holderOf(coordinator, mcp);
    await using given = await McpClient.start({ url, args: ["--session", "mine"] });
    assert.equal(await holder(given), "mine");
    const env = { CODEX_THREAD_ID: "019dba93-8214-7d50-a089-9690b4ce6b9e" };
    await using codex = await McpClient.start({ url, env });
    assert.equal(await holder(codex), "codex-9690b4ce6b9e");
    await using first = await McpClient.start(inFolder);
    const name = await holder(first);
    assert.match(name, new RegExp(`^${basename(folder.path).replace(/[^\w]/g, ".")}-[0-9a-f]{6}$`));
    {
      await using second = await McpClient.start(inFolder);
      assert.equal(await holder(second), `${name}-2`);
    }
    await using third = await McpClient.start(inFolder);
    assert.equal(await holder(third), `${name}-2`);
  });

  it("is one for each subagent that names itself", async () => {
    await using coordinator = await TestCoordinator.start();
    await using mcp = await McpClient.start({ url: coordinator.server.url, session: "s1" });
    for (const id of ["a", "b"]) await coordinator.ok(`tasks.create.${id}`);
    const [own, sub] = [
      await mcp.call("next_task"),
      await mcp.call("next_task", { as: "reviewer" }),
    ];
    assert.deepEqual(await sessionsOf(coordinator), ["s1", "s1.reviewer"]);
    assert.equal((await coordinator.ok("tasks.get.b")).task.claimed_by, "s1.reviewer");
    const which = await mcp.refusal("report_progress");
    assert.equal(which.message, "You hold 2 tasks: a#1, b#1.");
    for (const { claim } of [own, sub]) {
      const end = await mcp.call("finish_task", { claim, outcome: "done" });
      assert.equal(end.status, "complete");
    }
  });

  it("moves on under another name when another process takes it over", async () => {
    await using coordinator = await TestCoordinator.start();
    const { url } = coordinator.server;
    await using old = await McpClient.start({ url, session: "s1" });
    await coordinator.ok("tasks.create.a");
    await old.call("next_task");
    await using fresh = await McpClient.start({ url, session: "s1" });
    const taken = await fresh.call("next_task");
    assert.equal(taken.claim, "a#2");
    const refusal = await old.refusal("finish_task", { claim: "a#1", outcome: "done" });
    assert.equal(refusal.code, "lease_lost");
    await coordinator.ok("tasks.create.b");
    const next = await old.call("next_task");
    const notices = [...refusal.notices, ...next.notices].join("\n");
    assert.match(
      notices,
      /^Another process has taken over the session s1 .* You are s1-\w{4} now\.$/m,
    );
    assert.equal(next.claim, "b#1");
    assert.match((await coordinator.ok("tasks.get.b")).task.claimed_by, /^s1-\w{4}$/);
    assert.equal((await fresh.call("report_progress")).status, "held");
  });
});

/** A lease has five minutes. Usually it takes less than a second, but the machine can be busy. */
const FAR_BELOW_LEASE_MS = 10_000;

describe("a client that goes away", () => {
  for (const [how, go] of [
    ["closes the input", (mcp: McpClient) => mcp.client.close()],
    ["stops the server by SIGTERM", ({ pid }: McpClient) => process.kill(pid, "SIGTERM")],
    ["closes its terminal", ({ pid }: McpClient) => process.kill(pid, "SIGHUP")],
  ] as const) {
    it(`and ${how} leaves no session and no claim`, async () => {
      await using coordinator = await TestCoordinator.start();
      await using mcp = await McpClient.start({ url: coordinator.server.url, session: "s1" });
      for (const id of ["a", "b"]) await coordinator.ok(`tasks.create.${id}`);
      await mcp.call("next_task");
      await mcp.call("next_task", { as: "sub" });
      const waiting = mcp.call("next_task").catch(() => "ended");
      await coordinator.until("tasks.stats", ({ worker }) => worker.waiting === 1);
      const since = performance.now();
      const gone = go(mcp);
      const { tasks } = await coordinator.until(
        "tasks.stats",
        ({ tasks: { available }, sessions }) => available === 2 && sessions === 0,
      );
      assert.ok(performance.now() - since < FAR_BELOW_LEASE_MS);
      assert.deepEqual([tasks.available, await waiting], [2, "ended"]);
      await gone;
      assert.equal((await coordinator.ok("tasks.get.a")).task.lost_leases, 0);
    });
  }

  it("because its server was killed loses its claims long before its leases end", async () => {
    await using coordinator = await startHearing();
    await using temp = await TempFolder.create();
    const { url } = coordinator.server;
    await using mcp = await McpClient.start({ url, session: "s1", env: { TMPDIR: temp.path } });
    await coordinator.ok("tasks.create.a");
    await mcp.call("next_task");
    const since = performance.now();
    process.kill(mcp.pid, "SIGKILL");
    await coordinator.fact("lease_disconnected", ({ taskId }) => taskId === "a", 0);
    assert.ok(performance.now() - since < FAR_BELOW_LEASE_MS);
  });
});

describe("a claim", () => {
  it("is renewed while the model thinks", async () => {
    await using coordinator = await TestCoordinator.start();
    const { url } = coordinator.server;
    await using mcp = await McpClient.start({ url, session: "s1", args: ["--ttl", "1s"] });
    await coordinator.ok("tasks.create.a");
    await mcp.call("next_task");
    let heartbeats = 0;
    await coordinator.fact("request", ({ operation }) => {
      return operation === "sessions.heartbeat" && ++heartbeats === 6;
    });
    assert.equal((await mcp.call("report_progress")).status, "held");
    assert.equal((await coordinator.ok("tasks.get.a")).task.attempt, 1);
  });
});
