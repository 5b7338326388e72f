/** Workers and programs on a leaf node, with the buckets in the hub. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { jetstreamManager } from "@nats-io/jetstream";
import { EventBus } from "../../src/client/event-bus.ts";
import { takePort } from "../../scripts/lab/ports.ts";
import { TestServer } from "../support/nats-server.ts";
import { NotedLog } from "../support/stand-in.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

interface LeafNode extends AsyncDisposable {
  readonly hub: TestServer;
  /** Options for the server of a coordinator on the leaf node. */
  readonly leaf: { readonly config: string };
}

async function startHub(): Promise<LeafNode> {
  const port = await takePort();
  const hub = await TestServer.start({
    config: `jetstream { domain: hub }\nserver_name: hub\nleafnodes { listen: "127.0.0.1:${port}" }`,
  });
  const config = `jetstream { domain: leaf }\nserver_name: leaf
    leafnodes { remotes: [ { url: "nats://127.0.0.1:${port}" } ] }`;
  return { hub, leaf: { config }, [Symbol.asyncDispose]: () => hub[Symbol.asyncDispose]() };
}

/** Until the hub answers on the leaf node, whose server is ready before it is linked. */
async function untilLinked(leaf: TestServer): Promise<void> {
  const connection = await leaf.connect();
  for (;;) {
    try {
      await connection.request("$JS.hub.API.INFO", "", { timeout: 1_000 });
      return;
    } catch (error) {
      assert.match(String(error), /no responders|timeout/i);
    }
  }
}

async function bucketsOf(server: TestServer): Promise<string[]> {
  const connection = await server.connect();
  const names: string[] = [];
  for await (const name of (await jetstreamManager(connection)).streams.names()) names.push(name);
  return names.sort();
}

describe("a JetStream domain", () => {
  it("lets workers on a leaf node keep everything in the hub", async () => {
    await using nodes = await startHub();
    await using coordinator = await TestCoordinator.start({ server: nodes.leaf, workers: 0 });
    const settings = { "nats.js_domain": "hub" };
    await coordinator.addWorkers(2, { settings });
    assert.deepEqual(await bucketsOf(nodes.hub), [
      "KV_leases",
      "KV_principals",
      "KV_sessions",
      "KV_tasks",
    ]);
    assert.deepEqual(await bucketsOf(coordinator.server), []);

    const updates: string[] = [];
    coordinator.connection.subscribe("task-updates.>", {
      callback: (_, { subject }) => {
        updates.push(subject);
      },
    });
    await coordinator.ok("sessions.register.s1");
    // Enough messages for a flow control request of the server.
    const tasks = Array.from({ length: 500 }, (_, i) => ({
      task_id: `t${i}`,
      payload: { text: "x".repeat(2_000) },
    }));
    for (let i = 0; i < tasks.length; i += 100) {
      await coordinator.ok("tasks.import", { tasks: tasks.slice(i, i + 100) });
    }
    const claimed = await coordinator.ok("tasks.claim.t0", { session_id: "s1", ttl_seconds: 1 });
    assert.equal(claimed.attempt, 1);
    await coordinator.fact("lease_expired");
    await coordinator.until("tasks.get.t0", ({ task }) => task.status === "available");
    const again = await coordinator.ok("tasks.claim.t0", { session_id: "s1" });
    const release = { session_id: "s1", attempt: again.attempt, status: "complete" };
    await coordinator.ok("tasks.release.t0", release);
    const { entries } = await coordinator.ok("tasks.history.t0");
    assert.ok(entries.length >= 4);
    assert.ok(updates.includes("task-updates.t0"));

    // A worker that starts reads the existing tasks.
    const index = coordinator.fact("index_current");
    await coordinator.addWorkers(1, { settings });
    assert.equal((await index).tasks, 500);
  });

  it("lets a program on a leaf node use the shared state of the hub", async () => {
    await using nodes = await startHub();
    await using leaf = await TestServer.start(nodes.leaf);
    await untilLinked(leaf);
    const logger = new NotedLog();
    const config = { servers: leaf.url, jsDomain: "hub" };
    await using bus = new EventBus({ backend: "nats", config, logger });
    assert.equal(await bus.connect(), true);
    await bus.put("a", 1);
    assert.equal(await bus.compareAndSwap("a", 1, 2), true);
    const first = new Promise<{ value: unknown }>((resolve) => {
      void bus.watch("", resolve);
    });
    assert.equal((await first).value, 2);
    assert.equal(await bus.delete("a"), true);
    assert.equal(await bus.get("a"), null);
    assert.deepEqual(await bucketsOf(nodes.hub), ["KV_shared"]);
  });

  it("is named by the error at the start if it does not exist", async () => {
    await assert.rejects(
      TestCoordinator.start({ settings: { "nats.js_domain": "nowhere" } }),
      /cannot reach a JetStream domain nowhere: correct nats\.js_domain, .* config\.jsDomain/,
    );
  });
});
