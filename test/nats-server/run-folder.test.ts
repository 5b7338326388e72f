/** The store folder of a server that somebody else has made, or that cannot be used. */
import assert from "node:assert/strict";
import { mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { startDevServer } from "../../src/nats-server/dev-server.ts";
import { makeRunFolder } from "../../src/nats-server/run-folder.ts";
import { runCli } from "../support/cli-process.ts";
import { serverBinary } from "../support/nats-server.ts";
import { TempFolder } from "../support/temp-folder.ts";

const noLinks = process.platform === "win32" && "links need rights on Windows";
const noProc = process.platform !== "linux" && "needs /proc";

describe("a store folder with a link in run/", { skip: noLinks }, () => {
  for (const name of [
    "nats-server.log",
    "nats-server.conf",
    "nats-server.pid",
    "nats-server_7.ports",
    "owner.json",
  ]) {
    it(`is refused, and the file behind ${name} stays as it is`, async () => {
      await using folder = await TempFolder.create();
      const victim = join(folder.path, "victim");
      await writeFile(victim, "precious");
      const storeDir = join(folder.path, "store");
      await mkdir(join(storeDir, "run"), { recursive: true });
      await symlink(victim, join(storeDir, "run", name));
      await assert.rejects(
        startDevServer({ binary: await serverBinary(), port: 0, storeDir }),
        new RegExp(`${name} is a link.*: remove the link, or choose another folder`),
      );
      assert.equal(await readFile(victim, "utf8"), "precious");
    });
  }

  it("is refused if run/ itself is a link, and nothing is written behind it", async () => {
    await using folder = await TempFolder.create();
    const victim = join(folder.path, "victim");
    const storeDir = join(folder.path, "store");
    for (const path of [victim, storeDir]) await mkdir(path);
    await symlink(victim, join(storeDir, "run"));
    assert.throws(() => makeRunFolder(storeDir), /run is a link/);
    assert.deepEqual(await readdir(victim), []);
  });
});

describe("the files of a server", { skip: process.platform === "win32" && "needs modes" }, () => {
  it("can be read by their owner only, also in a folder that others could read", async () => {
    await using folder = await TempFolder.create();
    const run = join(folder.path, "run");
    await mkdir(run, { mode: 0o755 });
    for (const name of ["nats-server.log", "nats-server.conf"]) {
      await writeFile(join(run, name), "old", { mode: 0o644 });
    }
    const server = await startDevServer({
      binary: await serverBinary(),
      port: 0,
      storeDir: folder.path,
    });
    try {
      for (const path of [run, join(folder.path, "nats")]) {
        assert.equal((await stat(path)).mode & 0o777, 0o700, path);
      }
      for (const name of ["nats-server.log", "nats-server.conf", "owner.json"]) {
        assert.equal((await stat(join(run, name))).mode & 0o777, 0o600, name);
      }
    } finally {
      await server.stop();
    }
  });
});

describe("a store folder that cannot be used", () => {
  it("is refused at once where no folder can be created", { skip: noProc }, () => {
    for (const storeDir of ["/proc/x/y", "/sys/x"]) {
      const begun = performance.now();
      assert.throws(() => makeRunFolder(storeDir), {
        name: "NatsServerError",
        message: /^cannot create the folder .*: choose another with --store-dir$/,
      });
      assert.ok(performance.now() - begun < 1_000);
    }
  });

  it("is refused with the folder and the option by dev", { skip: noProc }, async () => {
    const IF_COORDINATOR_NATS_SERVER = await serverBinary();
    const { code, stderr } = await runCli(["dev", "--store-dir", "/proc/x"], {
      env: { IF_COORDINATOR_NATS_SERVER },
    });
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^if-coordinator: cannot create the folder \/proc\/x\/run \(ENOENT\): choose .*--store-dir\n$/,
    );
  });

  it("is refused if the place of the data is a file", async () => {
    await using folder = await TempFolder.create();
    await writeFile(join(folder.path, "nats"), "");
    assert.throws(() => makeRunFolder(folder.path), /cannot create the folder .*nats \(ENOTDIR\)/);
  });

  it("is created with all of its parents, and keeps nothing of the check", async () => {
    await using folder = await TempFolder.create();
    const run = makeRunFolder(join(folder.path, "a", "b"));
    assert.equal(run, join(folder.path, "a", "b", "run"));
    assert.deepEqual(await readdir(run), []);
    assert.equal(makeRunFolder(join(folder.path, "a", "b")), run);
  });

  it("is kept out of git, unless the folder says otherwise", async () => {
    await using folder = await TempFolder.create();
    makeRunFolder(folder.path);
    const file = join(folder.path, ".gitignore");
    assert.equal(await readFile(file, "utf8"), "/run/\n/nats/\n");
    await writeFile(file, "/run/\n");
    makeRunFolder(folder.path);
    assert.equal(await readFile(file, "utf8"), "/run/\n");
  });
});
