import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { serverBinary } from "../support/nats-server.ts";
import { CliProcess } from "../support/cli-process.ts";

const MAIN = fileURLToPath(new URL("../../scripts/chaos/main.js", import.meta.url));

async function chaos(...args: string[]) {
  const env = { IF_COORDINATOR_NATS_SERVER: await serverBinary() };
  await using run = new CliProcess(args, { env, program: [process.execPath, MAIN] });
  return await run.exited;
}

describe("npm run chaos", () => {
  it("causes faults, judges the recording, and leaves nothing behind", async () => {
    const args = ["--nodes", "1", "--workers", "2", "--sessions", "8"];
    const { code, stdout, stderr } = await chaos(...args, "--duration", "8s", "--seed", "7");
    assert.equal(code, 0, stdout + stderr);
    assert.match(stderr, /^npm run chaos -- --seed 7 --nodes 1 --workers 2 --sessions 8/);
    assert.match(stderr, /\d s {2}[a-z]/);
    assert.match(stdout, /\d+ operations .* [1-9]\d* faults: every guarantee held/);
  });
});
