import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StartupError } from "../../src/app.ts";
import { loadConfig } from "../../src/config.ts";
import { startWorkers } from "../../src/pool/worker-pool.ts";
import { TestServer } from "../support/nats-server.ts";

describe("several workers, one of which cannot start", () => {
  it("have all ended when the error is reported", async () => {
    // The test uses one of the connections.
    const config = "jetstream: enabled\nmax_connections: 3";
    await using server = await TestServer.start({ config });
    const connection = await server.connect();
    const overrides = {
      "nats.servers": [server.url],
      workers: 4,
      "metrics.enabled": false,
      "nats.connect_timeout_seconds": 0,
      "log.level": "silent",
    };
    const { signal } = new AbortController();
    await assert.rejects(startWorkers(loadConfig({ env: {}, overrides }), { signal }), (error) => {
      assert.ok(error instanceof StartupError);
      assert.match(error.message, /^cannot connect to NATS at /);
      return true;
    });
    await assert.rejects(connection.request("tasks.stats", "{}"), /no responders/);
  });
});
