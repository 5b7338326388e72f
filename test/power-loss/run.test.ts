import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { CliProcess } from "../support/cli-process.ts";
import { serverBinary } from "../support/nats-server.ts";
import { TempFolder } from "../support/temp-folder.ts";

const MAIN = fileURLToPath(new URL("../../scripts/power-loss/main.js", import.meta.url));
const NO_DISKS = "a loss of power needs loop devices and ext4, as root on Linux";

/** A run whose disks are in the folder. */
async function start(folder: string, ...args: string[]): Promise<CliProcess> {
  const env = { IF_COORDINATOR_NATS_SERVER: await serverBinary(), TMPDIR: folder };
  return new CliProcess(args, { env, program: [process.execPath, MAIN] });
}

/** The mounts and loop devices of the folder. */
async function mountsIn(folder: string): Promise<string[]> {
  if (!existsSync("/proc/mounts")) return [];
  const { stdout } = await promisify(execFile)("losetup", ["--list"]).catch(() => ({ stdout: "" }));
  const lines = `${await readFile("/proc/mounts", "utf8")}\n${stdout}`.split("\n");
  return lines.filter((line) => line.includes(folder));
}

describe("npm run power-loss", () => {
  it("finds no loss if each write is synced, and unmounts its disks", async () => {
    await using folder = await TempFolder.create();
    await using run = await start(folder.path, "--sync", "always", "--seconds", "3");
    const { code, stdout, stderr } = await run.exited;
    if (stderr.includes(NO_DISKS)) assert.equal(code, 2);
    else {
      assert.equal(code, 0, stdout + stderr);
      assert.match(stdout, /^[1-9]\d* writes were acknowledged; 0 of them \(0\.0 %\) are lost/);
      assert.match(stdout, /^0 tasks have a lower attempt than was told/m);
      assert.match(stdout, /, 0 stayed so$/m);
    }
    assert.deepEqual(await mountsIn(folder.path), []);
  });

  it("unmounts its disks when it is interrupted", async () => {
    await using folder = await TempFolder.create();
    await using run = await start(folder.path, "--seconds", "60");
    const isMounted = async (): Promise<boolean> =>
      (await mountsIn(folder.path)).some((line) => line.includes("-power-"));
    const exited = run.exited.then(() => true);
    while (!(await Promise.race([exited, delay(20, false)]))) {
      if (await isMounted()) run.interrupt();
    }
    const { code, stderr } = await run.exited;
    assert.equal(code, stderr.includes(NO_DISKS) ? 2 : 130, stderr);
    assert.deepEqual(await mountsIn(folder.path), []);
  });
});
