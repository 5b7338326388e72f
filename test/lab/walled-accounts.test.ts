import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Cleanup } from "../../src/cleanup.ts";
import { TaskConnection } from "../../scripts/lab/clients.ts";
import { hostileLogin, WALLED_CONFIG } from "../../scripts/lab/walled-accounts.ts";
import { TestServer } from "../support/nats-server.ts";
import { startWorker } from "../support/secured-worker.ts";

describe("a run with accounts", () => {
  it("serves its own clients as an operator, and the hostile agent as an agent", async () => {
    await using cleanup = new Cleanup();
    const config = `jetstream: enabled\n${WALLED_CONFIG}`;
    const server = cleanup.use(await TestServer.start({ config }));
    await startWorker(cleanup, { "nats.servers": [server.url], "auth.mode": "accounts" });
    const { tasks } = cleanup.use(await TaskConnection.open([server.url], "chaos1"));
    await tasks.create("chaos1.1", {});
    await tasks.claim("chaos1.1", { session_id: "chaos1" });
    await tasks.requeue("chaos1.1", { reason: "an operator may do that" });

    const hostile = await server.connect({ authenticator: hostileLogin });
    const body = JSON.stringify({ session_id: "chaos1", status: "complete" });
    const refused = await hostile.request("tasks.release.chaos1.1", body);
    assert.match(refused.string(), /"forbidden"/);
  });
});
