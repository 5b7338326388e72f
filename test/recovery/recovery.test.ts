import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { CliProcess } from "../support/cli-process.ts";
import { serverBinary } from "../support/nats-server.ts";
import { TempFolder } from "../support/temp-folder.ts";

const MAIN = fileURLToPath(new URL("../../scripts/recovery/main.js", import.meta.url));

async function recovery(...args: string[]) {
  const env = { IF_COORDINATOR_NATS_SERVER: await serverBinary() };
  await using run = new CliProcess(args, { env, program: [process.execPath, MAIN] });
  return await run.exited;
}

describe("npm run recovery", () => {
  it("measures what is named, loses nothing, and writes plausible figures", async () => {
    await using folder = await TempFolder.create();
    const json = join(folder.path, "recovery.json");
    const args = ["--nodes", "1", "--workers", "2", "--rounds", "1", "--json", json];
    const { code, stdout, stderr } = await recovery(...args, "dead session", "a worker killed");
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /^1 NATS node\(s\), 2 workers.*"nats-server":"\d+\.\d+\.\d+"/);

    const { machine, rows } = JSON.parse(await readFile(json, "utf8"));
    assert.ok(machine.cores >= 1);
    const medians = new Map<string, number>(rows.map((row: any) => [row.what, row.median]));
    for (const ttl of [1, 2, 5]) {
      const late = medians.get(`dead session, TTL ${ttl} s: until a waiting next has it`);
      // The lease counts from the write; the TTL here counts from its answer, a moment later.
      assert.ok(late !== undefined && late > -1_000 && late < 30_000, `TTL ${ttl} s: ${late}`);
    }
    assert.ok((medians.get("a worker killed: asked") ?? 0) > 50);
    assert.equal(medians.get("a worker killed: never answered"), 0);
    assert.equal(medians.get("a worker killed: acknowledged and lost"), 0);
    for (const { what, rounds, min, median, max } of rows) {
      assert.equal(rounds, 1, what);
      assert.ok(min <= median && median <= max, what);
    }
    assert.equal([...medians.keys()].filter((what) => what.startsWith("cold start")).length, 0);
  });
});
