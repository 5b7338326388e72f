import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { satisfies } from "semver";
import { readServerInfo } from "../src/nats-server/server-info.ts";
import { VERSION } from "../src/version.ts";
import { CliProcess } from "./support/cli-process.ts";
import { request } from "./support/dev.ts";
import { serverBinary } from "./support/nats-server.ts";
import { TempFolder } from "./support/temp-folder.ts";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Packs this package and installs it into the folder, as `npm install` of a user does. */
async function install(folder: string): Promise<void> {
  const options = { cwd: ROOT, shell: process.platform === "win32" };
  const pack = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
  const { stdout } = await run("npm", pack, options);
  const [packed] = JSON.parse(stdout) as { filename: string }[];
  assert.ok(packed !== undefined);
  // Without the prefix, npm would use a package.json above the folder.
  const flags = ["--prefix", folder, "--prefer-offline", "--no-audit", "--no-fund"];
  await run("npm", ["install", join(folder, packed.filename), ...flags], {
    ...options,
    cwd: folder,
  });
}

async function startedIn(cli: CliProcess): Promise<string> {
  await cli.waitFor(/Ctrl-C stops everything/);
  return (await cli.waitFor(/NATS +(nats:\S+)/))[1] ?? "";
}

async function isGone(url: string): Promise<boolean> {
  return (await readServerInfo("127.0.0.1", Number(new URL(url).port))) === undefined;
}

describe("the dependencies", () => {
  it("run on Node 20, so npm does not warn", async () => {
    const lock = JSON.parse(await readFile(join(ROOT, "package-lock.json"), "utf8")) as {
      packages: Record<string, { engines?: { node?: string } }>;
    };
    const unfit = Object.entries(lock.packages).filter(
      ([, { engines }]) => engines?.node !== undefined && !satisfies("20.20.0", engines.node),
    );
    assert.deepEqual(unfit, []);
  });
});

describe("the script that npm runs after an install", () => {
  it("installs what the build needs if it is missing, and builds", async () => {
    await using folder = await TempFolder.create();
    const [scripts, bin] = [join(folder.path, "scripts"), join(folder.path, "bin")];
    await mkdir(scripts);
    await mkdir(bin);
    await cp(join(ROOT, "scripts/prepare.js"), join(scripts, "prepare.js"));
    await writeFile(join(folder.path, "package.json"), '{"type":"module"}');
    const log = join(folder.path, "log");
    await writeFile(join(bin, "npm"), `#!/bin/sh\necho "$PWD npm $*" >> "${log}"\n`, {
      mode: 0o755,
    });
    const prepare = async (): Promise<string[]> => {
      await rm(log, { force: true });
      const env = { ...process.env, PATH: `${bin}:${process.env.PATH ?? ""}` };
      await run(process.execPath, [join(scripts, "prepare.js")], { cwd: bin, env });
      return (await readFile(log, "utf8")).trim().split("\n");
    };
    const here = await realpath(folder.path);
    const build = `${here} npm run build`;
    assert.deepEqual(await prepare(), [`${here} npm ci --ignore-scripts`, build]);
    await mkdir(join(folder.path, "node_modules/typescript"), { recursive: true });
    assert.deepEqual(await prepare(), [build]);
  });
});

describe("npm link in a checkout", () => {
  it("puts if-coordinator on the PATH", async () => {
    await using folder = await TempFolder.create();
    const env = { ...process.env, NPM_CONFIG_PREFIX: folder.path };
    // Its scripts would build the project that runs this test.
    await run("npm", ["link", "--ignore-scripts"], { cwd: ROOT, env });
    const { stdout } = await run(join(folder.path, "bin", "if-coordinator"), ["--version"]);
    assert.equal(stdout, `${VERSION}\n`);
  });
});

describe("the package, installed into an empty folder", () => {
  let env: Record<string, string>;
  before(async () => {
    env = { IF_COORDINATOR_NATS_SERVER: await serverBinary() };
  });

  it("runs with npx and stops with it, and keeps its data in the folder", async () => {
    await using folder = await TempFolder.create();
    await install(folder.path);
    const args = ["dev", "--port", "0", "--http-port", "0"];
    const options = { cwd: folder.path, env };
    {
      const program = ["npx", "--no-install", "if-coordinator"] as const;
      await using npx = new CliProcess(args, { ...options, program });
      const url = await startedIn(npx);
      const created = (await request(url, "tasks.create.a", { title: "A" })) as { ok: boolean };
      assert.ok(created.ok);
      // npx passes the signal to a shell, which ends without passing it on.
      npx.kill("SIGTERM");
      const { stderr } = await npx.exited;
      assert.match(stderr, /stopping/);
      assert.ok(await isGone(url));
    }
    const bin = join(folder.path, "node_modules", ".bin", "if-coordinator");
    // The program of a worker process must be in the package too.
    await using again = new CliProcess([...args, "--workers", "2"], { ...options, program: [bin] });
    const url = await startedIn(again);
    const got = (await request(url, "tasks.get.a", {})) as { task: { title: string } };
    assert.equal(got.task.title, "A");
    again.kill("SIGTERM");
    assert.equal((await again.exited).code, 0);
    assert.ok(await isGone(url));
  });

  it("contains the files that its entry points name", async () => {
    const manifest = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as {
      bin: Record<string, string>;
      exports: Record<string, Record<string, string>>;
    };
    const { stdout } = await run("npm", ["pack", "--json", "--dry-run", "--ignore-scripts"], {
      cwd: ROOT,
    });
    const [packed] = JSON.parse(stdout) as { files: { path: string }[] }[];
    const files = new Set(packed?.files.map(({ path }) => path));
    const named = [
      ...Object.values(manifest.bin),
      ...Object.values(manifest.exports).flatMap((entry) => Object.values(entry)),
    ];
    for (const path of named) assert.ok(files.has(path.replace(/^\.\//, "")), path);
    assert.ok(!files.has("dist/test/package.test.js"), "tests are not shipped");
  });
});
