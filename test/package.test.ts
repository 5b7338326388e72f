import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { readServerInfo } from "../src/nats/server-info.ts";
import { CliProcess } from "./support/cli-process.ts";
import { request } from "./support/dev.ts";
import { serverBinary } from "./support/nats-server.ts";
import { TempFolder } from "./support/temp-folder.ts";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Packs this package and installs it into the folder, as a user's first `npm install` would. */
async function install(folder: string): Promise<void> {
  const options = { cwd: ROOT, shell: process.platform === "win32" };
  const pack = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
  const { stdout } = await run("npm", pack, options);
  const [packed] = JSON.parse(stdout) as { filename: string }[];
  assert.ok(packed !== undefined);
  // Without the prefix npm would take any package.json above the folder for the project.
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
      // npx passes it on to a shell, which dies of it without telling its child.
      npx.kill("SIGTERM");
      const { stderr } = await npx.exited;
      assert.match(stderr, /stopping/);
      assert.ok(await isGone(url));
    }
    const bin = join(folder.path, "node_modules", ".bin", "if-coordinator");
    // The program of a worker that is a process of its own has to be there as well.
    await using again = new CliProcess([...args, "--workers", "2"], { ...options, program: [bin] });
    const url = await startedIn(again);
    const got = (await request(url, "tasks.get.a", {})) as { task: { title: string } };
    assert.equal(got.task.title, "A");
    again.kill("SIGTERM");
    assert.equal((await again.exited).code, 0);
    assert.ok(await isGone(url));
  });

  it("has what its entry points name", async () => {
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
