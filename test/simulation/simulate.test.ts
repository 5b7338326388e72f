import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { Summary } from "../../src/simulation/run.ts";
import { processesOf } from "../../scripts/test-leftovers.ts";
import { serverBinary } from "../support/nats-server.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));

/** Runs `if-coordinator simulate` with its own folder for temporary files. */
class SimulateCommand implements AsyncDisposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async prepare(): Promise<SimulateCommand> {
    return new SimulateCommand(await mkdtemp(join(tmpdir(), "simulate-")));
  }

  async file(tasks: unknown): Promise<string> {
    const path = join(this.folder, "tasks.json");
    await writeFile(path, JSON.stringify(tasks));
    return path;
  }

  async start(...args: string[]): Promise<ChildProcess> {
    return spawn(process.execPath, [MAIN, "simulate", ...args], {
      env: {
        ...process.env,
        IF_COORDINATOR_NATS_SERVER: await serverBinary(),
        NO_COLOR: "1",
        TMPDIR: this.folder,
        TEMP: this.folder,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  async run(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
    const child = await this.start(...args);
    assert.ok(child.stdout !== null && child.stderr !== null);
    const [stdout, stderr] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, "close"),
    ]);
    return { code: child.exitCode, stdout, stderr };
  }

  /** Checks that the folder has no data, and that no server uses it. */
  async assertNothingIsLeft(): Promise<void> {
    assert.deepEqual(await processesOf(this.folder), []);
    const files = await readdir(this.folder);
    assert.deepEqual(
      files.filter((file) => file !== "tasks.json"),
      [],
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Layers of five tasks, each of which depends on two of the layer before. */
function layers(count: number): unknown[] {
  return Array.from({ length: count * 5 }, (_, i) => {
    const above = i - 5;
    const depends_on =
      above < 0 ? [] : [`t${above}`, `t${above % 5 === 4 ? above - 1 : above + 1}`];
    return { task_id: `t${i}`, depends_on };
  });
}

describe("if-coordinator simulate", () => {
  it("completes a project although sessions crash and fail", async () => {
    await using command = await SimulateCommand.prepare();
    const file = await command.file(layers(8));
    const { code, stdout, stderr } = await command.run(
      ...["--file", file, "--sessions", "6", "--workers", "2", "--json"],
      ...["--crash-rate", "0.15", "--fail-rate", "0.15", "--seed", "3"],
    );
    assert.equal(code, 0, stderr + stdout);
    assert.match(
      stderr,
      /40 tasks, 6 sessions, 2 workers, crash rate 0.15, fail rate 0.15, seed 3/,
    );
    assert.match(stderr, /40\/40 complete/);

    const { passed, ended, figures, sessions } = JSON.parse(stdout) as Summary;
    assert.deepEqual({ passed, ended }, { passed: true, ended: "all_complete" });
    assert.equal(figures.completed, 40);
    assert.equal(figures.longest_chain, 8);
    assert.ok(sessions.crashed > 0 && sessions.failed > 0);
    assert.ok(figures.expired_attempts >= sessions.crashed);
    assert.equal(figures.failed_attempts, sessions.failed);
    assert.equal(figures.claims, 40 + figures.expired_attempts + figures.failed_attempts);
    assert.ok(figures.claim_latency_ms.count > 0);
    await command.assertNothingIsLeft();
  });

  it("prints each check, the figures and a verdict for people", async () => {
    await using command = await SimulateCommand.prepare();
    const file = await command.file({ tasks: layers(2) });
    const { code, stdout } = await command.run("--file", file, "--sessions", "2");
    assert.equal(code, 0);
    assert.equal(stdout.match(/^ {2}✔ /gm)?.length, 16);
    assert.match(stdout, /tasks complete +10 of 10/);
    assert.match(stdout, /claim latency +p50 [\d.]+ ms, p95 [\d.]+ ms, p99 [\d.]+ ms/);
    assert.match(stdout, /passed: every check holds\n$/);
  });

  it("fails if some tasks could not be completed, and names them", async () => {
    await using command = await SimulateCommand.prepare();
    const file = await command.file([
      { task_id: "possible" },
      { task_id: "impossible", depends_on: ["missing"] },
    ]);
    const { code, stdout } = await command.run("--file", file, "--sessions", "2");
    assert.equal(code, 1);
    assert.match(stdout, /✘ every task is complete\n +impossible: ended as blocked/);
    assert.match(stdout, /failed: the tasks stopped changing before all of them were complete\n$/);
    await command.assertNothingIsLeft();
  });

  it("leaves neither server nor folder behind when it is interrupted", async () => {
    await using command = await SimulateCommand.prepare();
    const file = await command.file(layers(400));
    const child = await command.start("--file", file, "--sessions", "2");
    assert.ok(child.stdout !== null && child.stderr !== null);
    const output = text(child.stdout);
    for await (const chunk of child.stderr) {
      if (String(chunk).includes("/2000 complete")) break;
    }
    child.kill("SIGINT");
    await once(child, "exit");
    assert.equal(child.exitCode, 1);
    assert.match(await output, /^stopped: interrupted before all tasks were complete\n$/);
    await command.assertNothingIsLeft();
  });

  it("says in one line what is wrong with an option or the file", async () => {
    await using command = await SimulateCommand.prepare();
    const option = await command.run("--sessions", "many");
    assert.notEqual(option.code, 0);
    assert.match(option.stderr, /--sessions must be a whole number from 1 to 2000, not "many"\n$/);

    const cycle = [
      { task_id: "a", depends_on: ["b"] },
      { task_id: "b", depends_on: ["a"] },
    ];
    const file = await command.run("--file", await command.file(cycle));
    assert.equal(file.code, 2);
    assert.match(
      file.stderr,
      /cycle: a \(.*:1:17\) -> b \(.*:1:52\) -> a \(.*remove one dependency\n$/,
    );
    await command.assertNothingIsLeft();
  });
});
