/** The files by which hooks know the claims of an agent. */
import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  rmdirSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { runCli } from "../../support/cli-process.ts";
import { McpClient } from "../../support/mcp-client.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { TestCoordinator } from "../../support/test-coordinator.ts";

const FOLDER = `if-coordinator-${process.getuid?.() ?? "user"}`;

describe("the files of an agent", () => {
  it("are in the home folder if somebody else was first in the temporary one", async () => {
    await using coordinator = await TestCoordinator.start();
    await using temp = await TempFolder.create();
    await using home = await TempFolder.create();
    await using victim = await TempFolder.create();
    symlinkSync(victim.path, join(temp.path, FOLDER));
    const env = { TMPDIR: temp.path, HOME: home.path, IF_COORDINATOR_SESSION: "s1" };
    {
      await using mcp = await McpClient.start({ url: coordinator.server.url, env });
      await coordinator.ok("tasks.create.a");
      await mcp.call("next_task");
      assert.deepEqual(readdirSync(join(home.path, ".cache/if-coordinator/claims")), ["s1.json"]);
      await coordinator.ok("tasks.requeue.a");
      const push = await runCli(["hook", "pre-push"], { env });
      assert.equal(push.code, 2, push.stderr);
    }
    assert.deepEqual(readdirSync(victim.path), []);
  });

  it("that a killed server has left are removed by the next one, its claims after a day", async () => {
    await using coordinator = await TestCoordinator.start();
    await using temp = await TempFolder.create();
    await using folder = await TempFolder.create();
    const start = (): Promise<McpClient> =>
      McpClient.start({
        url: coordinator.server.url,
        cwd: folder.path,
        env: { TMPDIR: temp.path },
      });
    const filesOf = (name: string): string[] => {
      const path = join(temp.path, FOLDER, name);
      return existsSync(path) ? readdirSync(path) : [];
    };
    await using killed = await start();
    await coordinator.ok("tasks.create.a");
    await killed.call("next_task");
    process.kill(killed.pid, "SIGKILL");
    await killed.closed;
    const old = join(temp.path, FOLDER, "claims", "old.json");
    mkdirSync(join(temp.path, FOLDER, "claims"), { recursive: true });
    writeFileSync(old, JSON.stringify({ pid: killed.pid, servers: "", claims: [] }));
    utimesSync(old, 0, 0);
    const counts = (): number[] => ["agents", "claims", "sockets"].map((n) => filesOf(n).length);
    assert.deepEqual(counts(), [1, 2, 1]);
    // What cannot be removed must not keep a server from starting.
    const left = join(temp.path, FOLDER, "sockets", "1");
    mkdirSync(join(left, "in it"), { recursive: true });
    await using next = await start();
    assert.deepEqual(counts(), [0, 1, 1]);
    rmdirSync(join(left, "in it"));
    rmdirSync(left);
    await next.call("show_tasks");
    assert.equal(filesOf("claims").includes("old.json"), false);
  });
});
