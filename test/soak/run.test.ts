/** A run that is long enough to judge levels that have to return, and too short to judge trends. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { CliProcess } from "../support/cli-process.ts";
import { serverBinary } from "../support/nats-server.ts";
import { TempFolder } from "../support/temp-folder.ts";

const MAIN = fileURLToPath(new URL("../../scripts/soak/main.js", import.meta.url));
const skip = process.platform === "linux" ? false : "what processes take is read from /proc";

async function soak(...args: string[]) {
  const env = { IF_COORDINATOR_NATS_SERVER: await serverBinary() };
  await using run = new CliProcess(args, { env, program: [process.execPath, MAIN] });
  return await run.exited;
}

describe("npm run soak", { skip }, () => {
  it("measures under load and faults, judges levels, and writes a report", async () => {
    await using folder = await TempFolder.create();
    const report = join(folder.path, "report.html");
    const args = ["--nodes", "1", "--workers", "2", "--sessions", "3", "--seed", "5"];
    const run = await soak(...args, "--duration", "12s", "--report", report);
    const { code, stdout, stderr } = run;
    assert.equal(code, 0, stdout + stderr);
    assert.match(stderr, /^npm run soak -- --seed 5 --nodes 1 --workers 2 --sessions 3/);
    assert.match(stdout, /[1-9]\d* faults, \d+ series judged.*: nothing grows\n/);
    for (const series of ["driver", "w1", "w2", "n1"]) {
      assert.match(stdout, new RegExp(`Open descriptors: ${series} +\\d+ +\\d+ +– +returns +ok`));
    }
    assert.match(stdout, /w2 parked requests +0 +0 +– +returns +ok/);
    assert.match(stdout, /Consumers of the streams: tasks +\d+ +\d+ +– +returns +ok/);
    assert.match(stdout, /Connections of NATS: all nodes +\d+ +\d+ +– +returns +ok/);
    const page = await readFile(report, "utf8");
    const charts = page.match(/<svg /g)?.length ?? 0;
    assert.ok(charts >= 15, `${charts} charts`);
    for (const title of ["Resident memory", "Latency of claim", "Errors per second, by code"]) {
      assert.ok(page.includes(`>${title}</text>`), `${title} has no chart`);
    }
  });
});
