/** Claims that end with the connection of the library, but not if the connection soon comes back. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { describe, it } from "node:test";
import { HeldWork } from "../support/held-work.ts";
import { Library } from "../support/library.ts";
import { NatsProxy } from "../support/nats-proxy.ts";
import { next } from "../support/next-requests.ts";
import { lastLease } from "../support/stored-leases.ts";
import { Agent, startHearing } from "../support/system-account.ts";
import type { Json, TestCoordinator } from "../support/test-coordinator.ts";

const TTL = { ttlSeconds: 3_600, releaseOnDisconnect: true };

async function connectionOf(coordinator: TestCoordinator, id: string): Promise<Json> {
  const stored: Json = (await lastLease(coordinator.connection, id))?.json();
  return stored?.connection;
}

/** Resolves to the connection of the task's lease, as soon as it is another one. */
async function moved(coordinator: TestCoordinator, id: string, from: Json): Promise<Json> {
  for (;;) {
    const connection = await connectionOf(coordinator, id);
    if (connection !== undefined && connection?.client_id !== from?.client_id) return connection;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe("a process that is killed", () => {
  it("gives its task back long before the lease expires", async () => {
    await using coordinator = await startHearing();
    await coordinator.ok("tasks.create.a");
    const library = JSON.stringify(new URL("../../src/index.js", import.meta.url));
    const program = `
      import { Coordinator, EventBus } from ${library};
      const servers = ${JSON.stringify(coordinator.server.url)};
      const bus = new EventBus({ backend: "nats", config: { servers } });
      await bus.connect();
      const options = { session: "s1", ttlSeconds: 3600, releaseOnDisconnect: true };
      new Coordinator(bus).work(options, () => new Promise(() => console.log("working")));`;
    const args = ["--input-type=module", "--eval", program];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    try {
      await new Promise((resolve) => child.stdout.once("data", resolve));
      const waiting = next(coordinator, "s2", { wait_seconds: 30 });
      child.kill("SIGKILL");
      const { claims } = await waiting;
      assert.deepEqual([claims[0].task.task_id, claims[0].attempt], ["a", 2]);
    } finally {
      child.kill("SIGKILL");
    }
  });
});

for (const renewInThread of [false, true]) {
  const where = renewInThread ? "a thread of its own" : "the same connection";
  describe(`a worker that renews from ${where}`, () => {
    it("keeps its tasks when the connection is lost and comes back", async () => {
      await using coordinator = await startHearing({ settings: { disconnect_grace_ms: 5_000 } });
      await using proxy = await NatsProxy.start(coordinator.server.port);
      await using library = await Library.connect(proxy);
      const work = new HeldWork();
      await coordinator.ok("tasks.create.a");
      await coordinator.ok("tasks.create.b");
      const options = { ...TTL, session: "s1", concurrency: 2, renewInThread };
      library.coordinator.work(options, work.handler);
      await work.nth(2);
      const before = await connectionOf(coordinator, "a");
      // The end of another claim, whose connection is also lost, shows that the grace period has passed.
      await coordinator.ok("tasks.create.c");
      const agent = await Agent.connect(coordinator.server);
      await agent.claim("c", { session_id: "s2" });
      const over = coordinator.fact("lease_disconnected");
      proxy.cut();
      proxy.mend();
      await moved(coordinator, "a", before);
      await agent.vanish();
      await over;
      for (const id of ["a", "b"]) {
        const { task } = await coordinator.ok(`tasks.get.${id}`);
        assert.deepEqual([task.status, task.attempt], ["claimed", 1]);
      }
      for (const held of work.begun) held.finish(1);
      await coordinator.until("tasks.get.a", ({ task }) => task.status === "complete");
    });
  });
}

describe("an operation with release_on_disconnect: true", () => {
  it("names the connection of the event bus, but not with false or without the field", async () => {
    await using coordinator = await startHearing();
    await using library = await Library.connect(coordinator);
    const { tasks } = library.coordinator;
    for (const id of ["a", "b", "c", "d"]) await coordinator.ok(`tasks.create.${id}`);
    const own = library.bus.link.connectionId;
    assert.equal(own?.server_id, coordinator.connection.info?.server_id);
    const session_id = "s1";
    await tasks.claim("a", { session_id, release_on_disconnect: true });
    await tasks.claim("b", { session_id, release_on_disconnect: false });
    await library.coordinator.claimTask("c", "s1", TTL);
    await tasks.claim("d", { session_id });
    await tasks.renew("d", { session_id, release_on_disconnect: true });
    // Nothing else renews the leases meanwhile.
    for (const id of ["a", "b", "c"]) await tasks.renew(id, { session_id });
    const named: Json[] = [];
    for (const id of ["a", "b", "c", "d"]) named.push(await connectionOf(coordinator, id));
    assert.deepEqual(named, [own, undefined, own, own]);
  });
});
