import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { describe, it } from "node:test";
import { CliProcess, runCli } from "../support/cli-process.ts";
import { request } from "../support/dev.ts";
import { TestServer } from "../support/nats-server.ts";

/** Does not wait for a server. */
const AT_ONCE = { IF_COORDINATOR_NATS_CONNECT_TIMEOUT_SECONDS: "0" };

describe("if-coordinator serve", () => {
  it("serves with any NATS server until SIGTERM, and leaves the server running", async () => {
    await using server = await TestServer.start();
    await using serve = new CliProcess(["serve", "--nats", server.url, "--http-port", "0"]);
    await serve.waitFor(/HTTP +http:/);
    const created = (await request(server.url, "tasks.create.a", {})) as { ok: boolean };
    assert.ok(created.ok);
    serve.kill("SIGTERM");
    const { code, stdout } = await serve.exited;
    assert.equal(code, 0);
    assert.ok(stdout.includes(server.url));
    const connection = await server.connect();
    await assert.rejects(connection.request("tasks.get.a", "{}"), /no responders/);
  });

  it("takes the server from the environment, and lets an option win", async () => {
    await using server = await TestServer.start();
    const env = {
      IF_COORDINATOR_NATS_SERVERS: server.url,
      IF_COORDINATOR_METRICS_ENABLED: "false",
      ...AT_ONCE,
    };
    await using serve = new CliProcess(["serve"], { env });
    await serve.waitFor(/HTTP +off/);
    const other = await runCli(["serve", "--nats", "nats://127.0.0.1:1"], { env });
    assert.equal(other.code, 1);
    assert.match(other.stderr, /cannot connect to NATS at nats:\/\/127\.0\.0\.1:1 /);
  });

  it("gives up if the program that listens is not a NATS server", async () => {
    const silent = createServer(() => undefined).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as AddressInfo;
    const served = await runCli(["serve", "--nats", `127.0.0.1:${port}`, "--http-port", "0"], {
      env: AT_ONCE,
    });
    silent.close();
    assert.equal(served.code, 1);
    assert.match(served.stderr, /cannot connect to NATS at 127\.0\.0\.1:\d+ \(timeout\)/i);
  });

  it("refuses a password in the URL, and does not show it", async () => {
    const served = await runCli(["serve", "--nats", "nats://u:secret@127.0.0.1:4222"]);
    assert.equal(served.code, 2);
    assert.match(served.stderr, /--nats must not contain a user or password: set nats\.username/);
    assert.doesNotMatch(served.stderr, /secret/);
  });

  it("says in one line what is missing: a server, JetStream, the HTTP port", async () => {
    await using server = await TestServer.start({ config: "# none", jetstream: false });
    const none = await runCli(["serve", "--nats", "nats://127.0.0.1:1", "--http-port", "0"], {
      env: AT_ONCE,
    });
    assert.equal(none.code, 1);
    assert.match(
      none.stderr,
      /^if-coordinator: cannot connect to NATS at .*--nats <url>, or config\.servers in a program\n$/m,
    );
    const bare = await runCli(["serve", "--nats", server.url, "--http-port", "0"]);
    assert.equal(bare.code, 1);
    assert.match(bare.stderr, /^if-coordinator: .* has no JetStream.*--jetstream.*\n$/m);
    const taken = await runCli(["serve", "--nats", server.url, "--http-port", String(server.port)]);
    assert.equal(taken.code, 1);
    assert.match(taken.stderr, /^if-coordinator: .*--http-port.*\n$/m);
    for (const { stderr } of [none, bare, taken]) assert.doesNotMatch(stderr, /\n +at /);
  });
});
