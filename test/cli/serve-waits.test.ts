/** `if-coordinator serve` started before NATS, or with a problem that waiting does not solve. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CliProcess, runCli } from "../support/cli-process.ts";
import { request } from "../support/dev.ts";
import { takePort } from "../../scripts/lab/ports.ts";
import { TestServer } from "../support/nats-server.ts";
import { Serve } from "../support/serve.ts";

/** The log says when a worker waits. */
const WAITING = /waiting for NATS/;

function serve(url: string, ...more: string[]): CliProcess {
  return new CliProcess(["serve", "--nats", url, ...more]);
}

describe("serve without a NATS server", () => {
  for (const workers of ["1", "2"]) {
    it(`waits for one, is not ready meanwhile, and then serves (${workers} workers)`, async () => {
      await using server = await TestServer.start();
      await server.stop();
      const httpPort = await takePort();
      const url = `http://127.0.0.1:${httpPort}/readyz`;
      await using waiting = serve(
        ...([server.url, "--http-port", String(httpPort), "--workers", workers] as const),
      );
      await waiting.waitFor(WAITING);
      const response = await fetch(url);
      assert.equal(response.status, 503);
      assert.equal(((await response.json()) as { ready: boolean }).ready, false);
      await server.restart();
      await waiting.waitFor(/HTTP +http:/);
      assert.equal((await fetch(url)).status, 200);
      const created = (await request(server.url, "tasks.create.a", {})) as { ok: boolean };
      assert.ok(created.ok);
      waiting.kill("SIGTERM");
      const { code, stderr } = await waiting.exited;
      assert.equal(code, 0);
      assert.equal(stderr.split("waiting for NATS").length, 2, stderr);
    });

    it(`stops at once on a signal, without a failure (${workers} workers)`, async () => {
      const url = `nats://127.0.0.1:${await takePort()}`;
      await using waiting = serve(url, "--http-port", "0", "--workers", workers);
      await waiting.waitFor(WAITING);
      waiting.kill("SIGTERM");
      const { code, stderr } = await waiting.exited;
      assert.equal(code, 0, stderr);
      assert.doesNotMatch(stderr, /cannot connect.*\n.*cannot connect|while stopping/);
    });
  }

  it("gives up after its time limit, and says why and how long it has waited", async () => {
    const url = `nats://127.0.0.1:${await takePort()}`;
    const env = { IF_COORDINATOR_NATS_CONNECT_TIMEOUT_SECONDS: "1" };
    const { code, stderr } = await runCli(["serve", "--nats", url, "--http-port", "0"], { env });
    assert.equal(code, 1);
    assert.match(stderr, WAITING);
    assert.match(
      stderr,
      /^if-coordinator: cannot connect to NATS at .*refused.* \(waited \d+ s for it\)\n$/m,
    );
  });
});

describe("serve with a problem that waiting does not solve", () => {
  const USER = "jetstream: enabled\nauthorization { user: u, password: right }";

  it("ends at once, without a line that it waits", async () => {
    await using secured = await TestServer.start({ config: USER });
    await using bare = await TestServer.start({ config: "# none", jetstream: false });
    const wrong = { IF_COORDINATOR_NATS_USERNAME: "u", IF_COORDINATOR_NATS_PASSWORD: "wrong" };
    const missing = { IF_COORDINATOR_NATS_CA_CERT: "/nowhere/ca.pem" };
    for (const [url, env, why] of [
      [secured.url, wrong, /Authorization Violation.*check nats\.username/i],
      [bare.url, {}, /has no JetStream/],
      [bare.url, missing, /nats\.ca_cert/],
    ] as const) {
      const { code, stderr } = await runCli(["serve", "--nats", url, "--http-port", "0"], { env });
      assert.equal(code, 1);
      assert.match(stderr, why);
      assert.doesNotMatch(stderr, WAITING);
    }
  });
});

describe("serve", () => {
  it("does not wait if the server is running", async () => {
    await using server = await TestServer.start();
    await using running = await Serve.start(server.url);
    running.kill("SIGTERM");
    const { code, stderr } = await running.exited;
    assert.equal(code, 0);
    assert.doesNotMatch(stderr, WAITING);
  });
});
