import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { runCli } from "../support/cli-process.ts";
import { takePort } from "../../scripts/lab/ports.ts";
import { TestServer } from "../support/nats-server.ts";
import { Serve } from "../support/serve.ts";

describe("if-coordinator health", () => {
  it("asks at the configured port, and fails if the workers are not ready", async () => {
    await using server = await TestServer.start();
    const port = String(await takePort());
    const env = { IF_COORDINATOR_METRICS_PORT: port, IF_COORDINATOR_METRICS_HOST: "0.0.0.0" };
    {
      await using serve = await Serve.start(server.url, ["--http-port", port], { env });
      await serve.ready();
      const ready = await runCli(["health"], { env });
      assert.equal(ready.code, 0, ready.stderr);
      assert.match(ready.stdout, /"status": ?"ready"/);

      await server.kill();
      while ((await serve.readiness()).code === 200);
      const waiting = await runCli(["health"], { env });
      assert.equal(waiting.code, 1);
      assert.match(waiting.stderr, /"connected": ?false/);
    }
    const nobody = await runCli(["health", "--http-port", port]);
    assert.equal(nobody.code, 1);
    assert.match(
      nobody.stderr,
      new RegExp(
        `no answer from http://127.0.0.1:${port}/readyz .*: start a worker, or name the port .*--http-port`,
      ),
    );
  });

  it("does not ask if the endpoint is switched off", async () => {
    const { code, stdout } = await runCli(["health"], {
      env: { IF_COORDINATOR_METRICS_ENABLED: "false" },
    });
    assert.equal(code, 0);
    assert.match(stdout, /not checked, because metrics\.enabled is false/);
  });
});
