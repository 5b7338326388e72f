/** `dev --secure`: a secured set-up, a server and workers with one command. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { runCli } from "../support/cli-process.ts";
import { Dev } from "../support/dev.ts";
import { TempFolder } from "../support/temp-folder.ts";

describe("dev --secure", () => {
  it("lets in those whom auth adds, and keeps them and the tasks for the next start", async () => {
    await using folder = await TempFolder.create();
    const dir = join(folder.path, "auth");
    const auth = (...args: string[]) => runCli(["auth", ...args, "--dir", dir]);
    const as = (url: string, name: string, ...args: string[]) =>
      runCli([...args, "--nats", url, "--creds", join(dir, "creds", `${name}.creds`)]);
    {
      await using dev = await Dev.start(folder.path, ["--secure"]);
      const url = await dev.natsUrl();
      // It finds the server on its port, which was not known before.
      for (const args of [
        ["add-operator", "me"],
        ["add-agent", "s1"],
        ["add-agent", "s2"],
      ]) {
        const { code, stderr } = await auth(...args);
        assert.deepEqual([code, stderr], [0, ""]);
      }
      assert.equal((await as(url, "me", "task", "create", "hello")).code, 0);
      assert.equal((await as(url, "s1", "task", "claim", "hello", "--session", "s1")).code, 0);
      assert.equal((await as(url, "s2", "task", "complete", "hello", "--session", "s1")).code, 3);
      assert.equal((await runCli(["stats", "--nats", url])).code, 7);
      const creds = ["s1", "s2"].map((name) => join(dir, "creds", `${name}.creds`));
      const [s1 = "", s2 = ""] = creds;
      const check = await runCli(["auth", "check", "--nats", url, "--creds", s1, "--other", s2]);
      assert.equal(check.code, 0, check.stdout);
      const stats = await as(url, "me", "stats", "--json");
      const { release_on_disconnect: isReported } = JSON.parse(stats.stdout) as Record<
        string,
        unknown
      >;
      assert.equal(isReported, true, "lost connections are reported");
      dev.interrupt();
      const { code, stdout } = await dev.exited;
      assert.equal(code, 0);
      assert.match(
        stdout,
        new RegExp(`^  (npx )?if-coordinator auth add-agent s1 --dir ${dir}$`, "m"),
      );
    }
    await using again = await Dev.start(folder.path, ["--secure", "--workers", "2"]);
    const url = await again.natsUrl();
    const { stdout } = await as(url, "s1", "task", "verify", "hello", "--session", "s1");
    assert.match(stdout, /holds/);
  });

  it("names a folder that cannot be used", async () => {
    const store = join(process.execPath, "x");
    const { code, stderr } = await runCli(["dev", "--secure", "--store-dir", store]);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^if-coordinator: .* cannot be used \(ENOTDIR\): a part of the path is no folder/m,
    );
  });

  it("says so if the folder is then used without it", async () => {
    await using folder = await TempFolder.create();
    {
      await using dev = await Dev.start(folder.path, ["--secure"]);
      dev.interrupt();
      await dev.exited;
    }
    await using open = await Dev.start(folder.path);
    await open.waitFor(/has a secured set-up, but dev was started without --secure/);
  });
});
