/** The commands below `auth`, on a real NATS server with a coordinator. */
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { type App, startApp } from "../../src/app.ts";
import { Cleanup } from "../../src/cleanup.ts";
import { loadConfig } from "../../src/config.ts";
import { startNatsServer } from "../../src/nats-server/dev-server.ts";
import { type CliExit, runCli } from "../support/cli-process.ts";
import { takePort } from "../../scripts/lab/ports.ts";
import { serverBinary } from "../support/nats-server.ts";
import { TempFolder } from "../support/temp-folder.ts";
import type { Json } from "../support/test-coordinator.ts";

/** A set-up in a temporary folder, and the programs that use it. */
class SetUp implements AsyncDisposable {
  readonly dir: string;
  readonly url: string;
  readonly #cleanup: Cleanup;
  readonly #port: number;

  private constructor(cleanup: Cleanup, home: string, scheme: string, port: number) {
    this.#cleanup = cleanup;
    this.dir = join(home, "auth");
    this.#port = port;
    this.url = `${scheme}://127.0.0.1:${this.#port}`;
  }

  static async init(...options: string[]): Promise<SetUp> {
    const cleanup = new Cleanup();
    const home = cleanup.use(await TempFolder.create());
    const scheme = options.includes("--tls") ? "tls" : "nats";
    const setUp = new SetUp(cleanup, home.path, scheme, await takePort());
    const { code, stderr } = await runCli([
      "auth",
      "init",
      setUp.dir,
      "--nats",
      setUp.url,
      ...options,
    ]);
    assert.equal(code, 0, stderr);
    return setUp;
  }

  /** Runs a command below `auth`. */
  auth(...args: string[]): Promise<CliExit> {
    return runCli(["auth", ...args, "--dir", this.dir]);
  }

  /** Runs a command with the credentials of a principal. */
  as(name: string, ...args: string[]): Promise<CliExit> {
    const creds = join(this.dir, "creds", `${name}.creds`);
    const options = ["--nats", this.url, "--creds", creds, "--timeout", "10s"];
    // What follows "--" is a program with its own options.
    const end = args.includes("--") ? args.indexOf("--") : args.length;
    return runCli([...args.slice(0, end), ...options, ...args.slice(end)]);
  }

  async startServer(): Promise<void> {
    const server = await startNatsServer({
      binary: await serverBinary(),
      port: this.#port,
      storeDir: join(this.dir, "store"),
      config: await readFile(join(this.dir, "nats-server.conf"), "utf8"),
    });
    this.#cleanup.defer(() => server.stop());
  }

  async startWorker(): Promise<App> {
    const overrides = { "metrics.enabled": false };
    const config = loadConfig({ env: {}, file: join(this.dir, "coordinator.yaml"), overrides });
    const app = await startApp(config, { log: false });
    this.#cleanup.defer(() => app.stop());
    return app;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#cleanup[Symbol.asyncDispose]();
  }
}

function json(exit: CliExit): Json {
  return JSON.parse(exit.stdout);
}

describe("if-coordinator auth", () => {
  it("lets agents and operators in, each under its own name", async () => {
    await using setUp = await SetUp.init();
    await setUp.startServer();
    await setUp.startWorker();
    const added = await setUp.auth("add-agent", "s1", "--json");
    assert.deepEqual(json(added), {
      ok: true,
      name: "s1",
      credentials: join(setUp.dir, "creds", "s1.creds"),
      account: json(added).account,
      live: true,
    });
    assert.equal((await setUp.auth("add-operator", "ann")).code, 0);

    assert.equal((await setUp.as("ann", "task", "create", "a")).code, 0);
    assert.equal((await setUp.as("s1", "task", "claim", "a", "--session", "s1.1")).code, 0);
    const other = await setUp.as("s1", "task", "claim", "a", "--session", "s2");
    assert.equal(other.code, 3);
    assert.match(other.stderr, /s2 does not belong to s1: use s1 or s1\.<name>/);
    const requeue = await setUp.as("s1", "task", "requeue", "a");
    assert.equal(requeue.code, 3);
    assert.match(requeue.stderr, /is for operators only/);
    assert.equal((await setUp.as("ann", "task", "requeue", "a")).code, 0);
    // A program that names no session has one of the agent.
    const run = await setUp.as("s1", "run", "--once", "--jsonl", "--", "true");
    assert.equal(run.code, 0, run.stderr);
    assert.match(run.stdout, /"outcome":"completed"/);
    // The workers' account does not stand for anybody.
    const unnamed = await setUp.as("worker", "task", "get", "a");
    assert.equal(unnamed.code, 3);
    assert.match(unnamed.stderr, /agents and operators with an account of their own/);
  });

  it("lists, rotates and revokes", async () => {
    await using setUp = await SetUp.init();
    await setUp.startServer();
    await setUp.startWorker();
    await setUp.auth("add-agent", "s1", "--limits", "connections=5");
    await setUp.auth("add-operator", "ann");
    const state = async (): Promise<string[]> =>
      json(await setUp.auth("list", "--json")).principals.map(
        ({ name, role, state }: Json) => `${name} ${role} ${state}`,
      );
    assert.deepEqual(await state(), ["ann operator active", "s1 agent active"]);
    const { stdout } = await setUp.auth("list");
    assert.match(
      stdout,
      /^s1 +agent +active +\S+Z +- +connections=5,subscriptions=1000,payload=256KiB$/m,
    );

    assert.equal((await setUp.auth("rotate", "s1")).code, 0);
    assert.equal((await setUp.as("s1", "stats")).code, 0);
    assert.equal((await setUp.auth("revoke", "ann")).code, 0);
    assert.deepEqual(await state(), ["ann operator revoked", "s1 agent active"]);
    assert.equal((await setUp.auth("push")).stdout, "The server has 4 accounts.\n");
    const rotated = await setUp.auth("rotate", "ann");
    assert.equal(rotated.code, 1);
    assert.match(rotated.stderr, /ann was revoked: add it again with "auth add-operator ann"/);
  });

  it("works before the server runs", async () => {
    await using setUp = await SetUp.init();
    const { code, stderr } = await setUp.auth("add-agent", "s1");
    assert.equal(code, 0);
    assert.match(stderr, /no NATS server answers at .*reads the change when it starts/s);
    assert.equal((await setUp.auth("push")).code, 7);
    await setUp.startServer();
    await setUp.startWorker();
    assert.equal((await setUp.as("s1", "stats")).code, 0);
  });

  it("sets up TLS, with which nothing is sent in clear", async () => {
    await using setUp = await SetUp.init("--tls");
    await setUp.startServer();
    await setUp.startWorker();
    const { code, stderr } = await setUp.auth("add-agent", "s1");
    assert.deepEqual([code, stderr], [0, ""]);
    const unknown = await setUp.as("s1", "stats");
    assert.equal(unknown.code, 7);
    assert.match(unknown.stderr, /--tlsca/);
    const ca = join(setUp.dir, "tls", "ca.pem");
    assert.equal((await setUp.as("s1", "stats", "--tlsca", ca)).code, 0);
  });

  it("says what is wrong with a folder, a name or limits", async () => {
    await using home = await TempFolder.create();
    const missing = await runCli(["auth", "add-agent", "s1", "--dir", home.path]);
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /has no secured set-up: make one with "if-coordinator auth init"/);
    await using setUp = await SetUp.init();
    assert.equal((await runCli(["auth", "init", setUp.dir])).code, 1);
    for (const args of [["a.b"], ["s1", "--limits", "speed=3"]]) {
      const wrong = await setUp.auth("add-agent", ...args);
      assert.equal(wrong.code, 2, args.join(" "));
    }
    assert.deepEqual(await readdir(join(setUp.dir, "accounts")), ["coordinator.jwt", "system.jwt"]);
    assert.equal(await readFile(join(setUp.dir, ".gitignore"), "utf8"), "*\n");
  });
});
