/** `hook`: refuses what a stale holder publishes, and nothing else. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { describe, it } from "node:test";
import { type CliExit, MAIN, runCli } from "../../support/cli-process.ts";
import { McpClient } from "../../support/mcp-client.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { TestCoordinator } from "../../support/test-coordinator.ts";

const CLIENT_SESSION = "0c5c1d1e-6a8e-4f7b-9d38-3f2a91bc04de";
const SESSION = "claude-3f2a91bc04de";

/** Runs the hook of an event as Claude Code does: with JSON on standard input. */
function hook(
  temp: TempFolder,
  event: string,
  input: object,
  variables: Readonly<Record<string, string>> = {},
): Promise<CliExit> {
  const json = JSON.stringify({ session_id: CLIENT_SESSION, ...input });
  const script = `printf '%s' "$INPUT" | "${process.execPath}" "${MAIN}" hook ${event}`;
  const env = {
    TMPDIR: temp.path,
    INPUT: json,
    IF_COORDINATOR_SESSION: "",
    CLAUDE_CODE_SESSION_ID: "",
    ...variables,
  };
  return runCli([script], { program: ["bash", "-c"], env, cwd: temp.path });
}

const push = { tool_name: "Bash", tool_input: { command: "git add . && git push origin main" } };

describe("the hooks of a coding agent", () => {
  it("let the holder publish, refuse a stale holder, and remind of an open claim", async () => {
    await using coordinator = await TestCoordinator.start();
    await using temp = await TempFolder.create();
    const { url } = coordinator.server;
    const env = { CLAUDE_CODE_SESSION_ID: CLIENT_SESSION, TMPDIR: temp.path };
    await using mcp = await McpClient.start({ url, env });
    await coordinator.ok("tasks.create.a");
    const before = await hook(temp, "pre-tool-use", push);
    assert.deepEqual([before.code, before.stdout, before.stderr], [0, "", ""]);
    const { claim } = await mcp.call("next_task");
    assert.equal((await coordinator.ok("tasks.get.a")).task.claimed_by, SESSION);
    assert.equal((await hook(temp, "pre-tool-use", push)).code, 0);
    const start = await hook(temp, "session-start", {}, { NATS_URL: url });
    assert.match(start.stdout, /^You share .*\nYou hold a#1\.\nTake a task/);
    const stop = await hook(temp, "stop", {});
    assert.deepEqual([stop.code, stop.stdout], [2, ""]);
    assert.match(stop.stderr, /you still hold a#1: finish the work/);
    const both = await hook(temp, "stop", {}, { CLAUDE_CODE_SESSION_ID: CLIENT_SESSION });
    assert.equal(both.stderr, stop.stderr, "the environment and the event name the session");
    assert.equal((await hook(temp, "stop", { stop_hook_active: true })).code, 0);

    await coordinator.ok("tasks.requeue.a");
    await coordinator.ok("tasks.claim.a", { session_id: "s2" });
    const stale = await hook(temp, "pre-tool-use", push);
    assert.deepEqual([stale.code, stale.stdout], [2, ""]);
    assert.match(stale.stderr, /a#1 is no longer yours: s2 holds the task\. Publish nothing of it/);
    const harmless = { tool_name: "Bash", tool_input: { command: "git status; npm test" } };
    assert.equal((await hook(temp, "pre-tool-use", harmless)).code, 0);
    const lost = await mcp.refusal("finish_task", { claim, outcome: "done" });
    assert.equal(lost.code, "lease_lost");
    assert.equal((await hook(temp, "pre-tool-use", push)).code, 2, "until it takes another task");
    await coordinator.ok("tasks.create.b");
    await mcp.call("next_task");
    assert.equal((await hook(temp, "pre-tool-use", push)).code, 0);
    await coordinator[Symbol.asyncDispose]();
    assert.equal((await hook(temp, "pre-tool-use", push)).code, 0, "without a coordinator");
  });

  it("give the tasks back when the session ends, and know the claims of the next session", async () => {
    await using coordinator = await TestCoordinator.start();
    await using temp = await TempFolder.create();
    const env = { CLAUDE_CODE_SESSION_ID: CLIENT_SESSION, TMPDIR: temp.path };
    await using mcp = await McpClient.start({ url: coordinator.server.url, env });
    await coordinator.ok("tasks.create.a");
    await mcp.call("next_task");
    await mcp.call("next_task", { as: "sub", wait_seconds: 0 });
    assert.equal((await hook(temp, "session-end", { reason: "clear" })).code, 0);
    const { task } = await coordinator.ok("tasks.get.a");
    assert.deepEqual([task.status, task.failures, task.lost_leases], ["available", 0, 0]);
    // The client has begun a new session, and has the same server.
    const next = { session_id: "11111111-2222-3333-4444-555555555555" };
    assert.equal((await hook(temp, "pre-tool-use", { ...push, ...next })).code, 0, "none is lost");
    const lost = await mcp.answer("report_progress", { claim: "a#1" });
    assert.equal(lost.answer.status, "lost");
    assert.equal((await hook(temp, "pre-tool-use", { ...push, ...next })).code, 0, "still none");
    const { claim } = await mcp.call("next_task");
    assert.equal(claim, "a#2");
    await coordinator.ok("tasks.requeue.a");
    assert.equal((await hook(temp, "pre-tool-use", { ...push, ...next })).code, 2);
  });

  it("say nothing at the start of a session where no coordinator answers", async () => {
    await using temp = await TempFolder.create();
    const start = await hook(temp, "session-start", {}, { NATS_URL: "nats://127.0.0.1:9" });
    assert.deepEqual([start.code, start.stdout, start.stderr], [0, "", ""]);
  });

  it("say nothing where the address of the servers is wrong", async () => {
    await using temp = await TempFolder.create();
    const start = await hook(temp, "session-start", {}, { NATS_URL: "ws://localhost" });
    assert.deepEqual([start.code, start.stdout, start.stderr], [0, "", ""]);
  });

  it("report a wrong setting without refusing anything", async () => {
    await using temp = await TempFolder.create();
    for (const [event, code] of [
      ["stop", 1],
      ["pre-tool-use", 1],
      ["pre-tool-use --context nowhere", 1],
      // For git, every code but 0 is a refusal.
      ["pre-push", 0],
    ] as const) {
      const env = { CLAUDE_CODE_SESSION_ID: CLIENT_SESSION, NATS_CONTEXT: "nowhere", NATS_URL: "" };
      const wrong = await hook(temp, event, push, env);
      assert.deepEqual([wrong.code, wrong.stdout], [code, ""], event);
      assert.match(wrong.stderr, /^if-coordinator: there is no NATS context "nowhere"/);
    }
  });

  it("do not act for an agent of another client", async () => {
    await using coordinator = await TestCoordinator.start();
    await using temp = await TempFolder.create();
    const session = { url: coordinator.server.url, session: "s1" };
    await using mcp = await McpClient.start({ ...session, env: { TMPDIR: temp.path } });
    await coordinator.ok("tasks.create.a");
    await mcp.call("next_task");
    assert.equal((await hook(temp, "stop", {})).code, 2, "the client of both is this process");
    const program = `require("child_process").spawnSync(process.execPath,
      [${JSON.stringify(MAIN)}, "hook", "stop"], { stdio: "inherit" })`;
    const env = { TMPDIR: temp.path, IF_COORDINATOR_SESSION: "s2" };
    const other = await runCli(["-e", program], { program: [process.execPath], env });
    assert.deepEqual([other.stdout, other.stderr], ["", ""]);
  });

  it("do not wait for a server that says nothing", async () => {
    await using temp = await TempFolder.create();
    const silent = createServer().listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as AddressInfo;
    const since = performance.now();
    const env = { NATS_URL: `nats://127.0.0.1:${port}` };
    const { code, stdout, stderr } = await hook(temp, "session-start", {}, env);
    assert.deepEqual([code, stdout, stderr], [0, "", ""]);
    // The plugins let a hook run for 5 s.
    assert.ok(performance.now() - since < 4_500);
    silent.close();
  });

  it("greet an agent without a claim where a NATS server runs", async () => {
    await using coordinator = await TestCoordinator.start();
    await using temp = await TempFolder.create();
    const env = { NATS_URL: `nats://127.0.0.1:9,${coordinator.server.url}` };
    const start = await hook(temp, "session-start", {}, env);
    assert.match(start.stdout, /^You share .*\nYou hold no task\.\nTake a task/);
    assert.deepEqual([start.code, start.stderr], [0, ""]);
  });

  it("refuse the push of git", async () => {
    await using coordinator = await TestCoordinator.start();
    await using temp = await TempFolder.create();
    await using work = await TempFolder.create();
    const git = (...args: string[]): Promise<{ code: number; stderr: string }> =>
      new Promise((resolve) => {
        const identity = ["-c", "user.name=a", "-c", "user.email=a@b.c"];
        const env = { ...process.env, TMPDIR: temp.path, IF_COORDINATOR_SESSION: "s1" };
        execFile("git", [...identity, ...args], { cwd: work.path, env }, (error, _, stderr) => {
          resolve({ code: error === null ? 0 : 1, stderr });
        });
      });
    await git("init", "--bare", join(work.path, "remote.git"));
    await git("init", "-b", "main", ".");
    await git("commit", "--allow-empty", "-m", "one");
    await git("remote", "add", "origin", "remote.git");
    const script = `#!/bin/sh\nexec "${process.execPath}" "${MAIN}" hook pre-push\n`;
    await writeFile(join(work.path, ".git/hooks/pre-push"), script, { mode: 0o755 });
    const { url } = coordinator.server;
    await using mcp = await McpClient.start({ url, session: "s1", env: { TMPDIR: temp.path } });
    await coordinator.ok("tasks.create.a");
    await mcp.call("next_task");
    assert.equal((await git("push", "origin", "main")).code, 0);
    await coordinator.ok("tasks.requeue.a");
    await git("commit", "--allow-empty", "-m", "two");
    const refused = await git("push", "origin", "main");
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /a#1 is no longer yours: nobody holds the task/);
  });
});
