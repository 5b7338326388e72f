/** `--log-format json`: every line of both streams is JSON. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { jetstreamManager } from "@nats-io/jetstream";
import { type CliExit, CliProcess, runCli } from "../support/cli-process.ts";
import { takePort } from "../../scripts/lab/ports.ts";
import { TestServer } from "../support/nats-server.ts";
import { TempFolder } from "../support/temp-folder.ts";

interface Line {
  readonly level: string;
  readonly time: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** Fails for a line that does not look like a line of the log. */
function linesOf({ stdout, stderr }: Pick<CliExit, "stdout" | "stderr">): Line[] {
  const texts = (stdout + stderr).split("\n").filter((text) => text !== "");
  return texts.map((text) => {
    const line = JSON.parse(text) as Line;
    assert.match(line.level, /^(debug|info|warn|error)$/, text);
    assert.match(line.time, /^\d{4}-\d\d-\d\dT.*Z$/, text);
    assert.equal(typeof line.msg, "string", text);
    return line;
  });
}

const JSON_LOG = ["--log-format", "json", "--http-port", "0"];

/** Makes Node write a warning on a signal. */
const WARNS = `process.on("SIGUSR2",()=>process.emitWarning("as a test wants it"))`;

async function stopped(cli: CliProcess): Promise<CliExit> {
  cli.kill("SIGTERM");
  return await cli.exited;
}

describe("the lines of a command whose log is JSON", () => {
  for (const workers of ["1", "2"]) {
    it(`are JSON, and name their worker (${workers} workers)`, async () => {
      await using server = await TestServer.start();
      const args = ["--nats", server.url, "--workers", workers, "--log-level", "debug"];
      const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(WARNS)}` };
      await using serve = new CliProcess(["serve", ...JSON_LOG, ...args], { env });
      await serve.waitFor(/"msg":"if-coordinator serves"/);
      serve.kill("SIGUSR2");
      await serve.waitFor(/Node warns/);
      const lines = linesOf(await stopped(serve));
      const [serving] = lines.filter(({ msg }) => msg === "if-coordinator serves");
      assert.match(String(serving?.http), /^http:/);
      assert.deepEqual(serving?.nats, [server.url]);
      const ids = new Set(
        lines.filter(({ msg }) => msg === "index is current").map(({ worker_id }) => worker_id),
      );
      assert.equal(ids.size, Number(workers));
      assert.ok([...ids].every((id) => /^worker-[0-9a-f]{8}$/.test(String(id))));
      assert.ok(lines.some(({ msg }) => msg.startsWith("stopping")));
    });
  }

  it("are JSON if it cannot start: no server, wrong option, wrong setting, wrong file", async () => {
    await using folder = await TempFolder.create();
    const file = join(folder.path, "bad.yaml");
    await writeFile(file, "coordinator:\n  log:\n    format: json\n  workers: many\n");
    const nowhere = `nats://127.0.0.1:${await takePort()}`;
    const env = { IF_COORDINATOR_NATS_CONNECT_TIMEOUT_SECONDS: "0" };
    for (const [args, code, what] of [
      [[...JSON_LOG, "--nats", nowhere], 1, /cannot connect to NATS/],
      [[...JSON_LOG, "--prot", "1"], 2, /unknown option/],
      [[...JSON_LOG, "--workers", "many"], 2, /--workers must be/],
      [["--config", file], 2, /coordinator\.workers must be/],
    ] as const) {
      const exit = await runCli(["serve", ...args], { env });
      assert.equal(exit.code, code);
      const lines = linesOf(exit);
      assert.ok(
        lines.some(({ level, msg }) => level === "error" && what.test(msg)),
        exit.stderr,
      );
    }
  });
});

describe("the log of an outage", () => {
  it("has a few lines, each of which names its worker, and no stack", async () => {
    await using server = await TestServer.start();
    const connection = await server.connect();
    const env = {
      IF_COORDINATOR_NATS_RECONNECT_TIME_WAIT: "0",
      IF_COORDINATOR_LEASE_GRACE_MS: "100",
    };
    await using serve = new CliProcess(["serve", ...JSON_LOG, "--nats", server.url], { env });
    await serve.waitFor(/"msg":"if-coordinator serves"/);
    const tasks = Array.from({ length: 200 }, (_, i) => ({ task_id: `t${i}` }));
    await connection.request("tasks.import", JSON.stringify({ tasks }));
    const body = JSON.stringify({ session_id: "s", max: 100, ttl_seconds: 1 });
    await connection.request("tasks.next", body);
    await server.kill();
    await serve.waitFor(/connection to NATS lost/);
    // No fact is reported while it lasts.
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    await server.restart();
    await serve.waitFor(/connected to NATS again after \d+s/);

    // And a bucket that was deleted takes one line, not two a second.
    const jsm = await jetstreamManager(await server.connect());
    await jsm.streams.delete("KV_tasks");
    await serve.waitFor(/bucket cannot be used/);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    const lines = linesOf(await stopped(serve)).filter(({ msg }) => msg !== "lease expired");
    assert.ok(lines.every(({ err }) => err === undefined));
    const isAlarm = ({ level }: Line): boolean => level === "warn" || level === "error";
    const alarms = lines.filter(isAlarm);
    assert.ok(alarms.length <= 6, alarms.map(({ msg }) => msg).join("\n"));
    assert.ok(alarms.every(({ worker_id }) => worker_id !== undefined));
  });
});
