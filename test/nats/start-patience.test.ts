/** A worker that starts while NATS has no leader. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { NatsProxy } from "../support/nats-proxy.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

describe("a worker that starts while JetStream does not answer", () => {
  it("reports this, waits, and is ready as soon as JetStream answers", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 0 });
    await using proxy = await NatsProxy.start(coordinator.server.port);
    const asked = proxy.untilClientSays("$JS.API.INFO").then(() => {
      proxy.silenceServer();
    });
    const started = coordinator.addWorkers(1, { settings: { "nats.servers": [proxy.url] } });
    await asked;
    const { problem } = await coordinator.fact("start_waits", () => true, 0);
    assert.match(
      problem ?? "",
      /does not answer for JetStream: a cluster needs most of its servers/,
    );
    proxy.endSilence();
    await started;
    await coordinator.fact("start_waits", (fact) => fact.problem === null, 0);
    await coordinator.ok("tasks.create.a");
  });
});
