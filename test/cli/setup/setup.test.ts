/** `setup` as a command: files, modes, links, exit codes. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { type CliExit, runCli } from "../../support/cli-process.ts";
import { TempFolder } from "../../support/temp-folder.ts";

describe("setup", () => {
  it("writes, checks and removes the file of the project", async () => {
    await using folder = await TempFolder.create();
    const setup = (...args: string[]): Promise<CliExit> =>
      runCli(["setup", ...args], { cwd: folder.path });
    const file = join(folder.path, ".cursor/mcp.json");
    const missing = await setup("cursor", "--check");
    assert.deepEqual([missing.code, missing.stdout], [1, ""]);
    assert.match(missing.stderr, /\.cursor\/mcp\.json is not set up/);
    const added = await setup("cursor");
    assert.equal(added.code, 0);
    assert.match(added.stdout, /^\.cursor\/mcp\.json\n\+ \{\n/);
    assert.deepEqual(JSON.parse(await readFile(file, "utf8")), {
      mcpServers: { "if-coordinator": { command: "if-coordinator", args: ["mcp"] } },
    });
    assert.equal((await setup("cursor")).stdout, ".cursor/mcp.json is set up already\n");
    assert.equal((await setup("cursor", "--check")).code, 0);
    const removed = await setup("cursor", "--remove");
    assert.equal(removed.code, 0);
    assert.equal(existsSync(file), false);
    assert.equal(
      (await setup("cursor", "--remove")).stdout,
      ".cursor/mcp.json has nothing of it\n",
    );
  });

  it("keeps the mode and the link of a file of the user", async () => {
    await using home = await TempFolder.create();
    await mkdir(join(home.path, "dotfiles"));
    const real = join(home.path, "dotfiles/claude.json");
    const before = '{\n  "token": "secret", // mine\n}\n';
    await writeFile(real, before);
    await chmod(real, 0o600);
    await symlink(real, join(home.path, ".claude.json"));
    const options = { env: { HOME: home.path }, cwd: home.path };
    const args = ["setup", "claude", "--user"];
    const { code, stdout } = await runCli([...args, "--nats", "nats://host:4222"], options);
    assert.equal(code, 0);
    assert.doesNotMatch(stdout, /secret/);
    assert.equal((await stat(real)).mode & 0o777, 0o600);
    assert.match(await readFile(real, "utf8"), /"nats:\/\/host:4222"/);
    await runCli([...args, "--nats", "nats://host:4222", "--remove"], options);
    assert.equal(await readFile(real, "utf8"), before);
  });

  it("changes nothing in a file that it cannot read", async () => {
    await using folder = await TempFolder.create();
    const file = join(folder.path, ".mcp.json");
    for (const content of [Buffer.from("{ a: }"), Buffer.from([0x7b, 0xff, 0x7d])]) {
      await writeFile(file, content);
      const { code, stderr } = await runCli(["setup", "claude"], { cwd: folder.path });
      assert.equal(code, 1);
      assert.match(stderr, /\.mcp\.json.*\n\(nothing was changed\)/);
      assert.deepEqual(await readFile(file), content);
    }
    const wrong = await runCli(["setup", "agents-md", "--user"], { cwd: folder.path });
    assert.equal(wrong.code, 2);
  });
});
