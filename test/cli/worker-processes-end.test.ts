/** Several workers of a command start and end with it. None is left behind. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { describe, it } from "node:test";
import { runCli } from "../support/cli-process.ts";
import { Dev, TROUBLE } from "../support/dev.ts";
import { TestServer } from "../support/nats-server.ts";
import { Serve } from "../support/serve.ts";
import { TempFolder } from "../support/temp-folder.ts";
import type { Json } from "../support/test-coordinator.ts";

const WAITING = "if_coordinator_waiting_requests";

describe("several workers on a signal to stop", () => {
  it("answer the requests under way, and end with the command", async () => {
    await using server = await TestServer.start();
    const connection = await server.connect();
    await using serve = await Serve.start(server.url, ["--workers", "3"]);
    const waiting = Array.from({ length: 9 }, async (_, i): Promise<Json> => {
      const body = JSON.stringify({ session_id: `s${i}`, wait_seconds: 60 });
      return (await connection.request("tasks.next", body, { timeout: 70_000 })).json();
    });
    while ((await serve.metrics()).get(WAITING) !== 9);
    // A service manager sends the signal to all processes of a service, or only to the first one.
    for (const { pid } of serve.workers()) process.kill(pid, "SIGTERM");
    serve.kill("SIGTERM");
    for (const { ok, claims } of await Promise.all(waiting)) {
      assert.deepEqual([ok, claims], [true, []]);
    }
    const { code, stderr } = await serve.exited;
    assert.equal(code, 0);
    assert.doesNotMatch(stderr, TROUBLE);
  });

  it("let the command stop them when Ctrl-C reaches the whole process group", async () => {
    await using folder = await TempFolder.create();
    await using dev = await Dev.start(folder.path, ["--workers", "2"]);
    dev.interrupt();
    const { code, stderr } = await dev.exited;
    assert.equal(code, 0);
    assert.doesNotMatch(stderr, TROUBLE, "the workers never missed the server");
  });

  it("stop on Ctrl-C even if some of them have only begun to start", async () => {
    await using server = await TestServer.start();
    const args = ["--nats", server.url, "--http-port", "0", "--workers", "4"];
    await using serve = new Serve(["serve", ...args]);
    // The first one has started. The command is starting the others.
    await serve.waitFor(/index is current/);
    while (serve.workers().length < 2);
    serve.interrupt();
    const { code, stderr } = await serve.exited;
    assert.equal(code, 0);
    assert.match(stderr, /stopping [^\n]*\n$/);
  });

  it("end at once on a second signal, even if a part hangs", async () => {
    await using server = await TestServer.start();
    await using serve = await Serve.start(server.url, ["--workers", "2"]);
    const [suspended] = serve.workers();
    process.kill(suspended?.pid ?? 0, "SIGSTOP");
    serve.kill("SIGTERM");
    await serve.waitFor(/stopping/);
    serve.kill("SIGTERM");
    const { code, stderr } = await serve.exited;
    assert.equal(code, 1);
    assert.match(stderr, /stopped at once\n$/);
  });

  it("end by themselves when the command is killed", async () => {
    await using server = await TestServer.start();
    const connection = await server.connect();
    await using serve = await Serve.start(server.url, ["--workers", "3"]);
    serve.kill("SIGKILL");
    assert.equal((await serve.exited).signal, "SIGKILL");
    await assert.rejects(connection.request("tasks.stats", "{}"), /no responders/);
  });
});

describe("several workers that cannot start", () => {
  const env = { IF_COORDINATOR_NATS_CONNECT_TIMEOUT_SECONDS: "0" };

  /** The same command with one worker, which runs in the process of the command. */
  async function assertLikeOne(args: readonly string[], what: RegExp): Promise<void> {
    const [one, several] = await Promise.all(
      ["1", "3"].map((workers) => runCli(["serve", "--workers", workers, ...args], { env })),
    );
    assert.match(one?.stderr ?? "", what);
    assert.deepEqual(several, one);
  }

  it("say why once, in the same words as a single worker", async () => {
    await assertLikeOne(
      ["--nats", "nats://127.0.0.1:1", "--http-port", "0"],
      /^if-coordinator: cannot connect to NATS at .*\n$/,
    );
    await using server = await TestServer.start({ config: "# none", jetstream: false });
    await assertLikeOne(
      ["--nats", server.url, "--http-port", "0", "--log-level", "silent"],
      /^if-coordinator: .* has no JetStream.*\n$/,
    );
  });

  it("are not started if the HTTP port is taken", async () => {
    await using server = await TestServer.start();
    await using taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    await assertLikeOne(
      ["--nats", server.url, "--http-port", String(port)],
      /^if-coordinator: .*--http-port.*\n$/,
    );
  });
});
