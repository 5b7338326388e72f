/** Faults that must not harm the coordinator: a server that dies while it stops, and a sink that throws. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { startApp } from "../src/app.ts";
import { loadConfig } from "../src/config.ts";
import type { Fact } from "../src/service/ports.ts";
import { TestServer } from "./support/nats-server.ts";
import { runModule } from "./support/run-module.ts";
import type { Json } from "./support/test-coordinator.ts";

describe("stopping the coordinator", () => {
  /** The steps of the process around `app.stop()`. `kill()` ends the server like a crash. */
  const cases: Readonly<Record<string, string>> = {
    "after its server has died": `
      kill();
      await disconnected;
      await app.stop();`,
    "in the moment in which its server dies": `
      kill();
      await app.stop();`,
    "while its server dies": `
      const stopped = app.stop();
      kill();
      await stopped;`,
    "with requests under way and waiting": `
      for (let i = 0; i < 50; i++) client.publish("tasks.create.t" + i, "{}", { reply: "nobody" });
      for (let i = 0; i < 5; i++) {
        client.publish("tasks.next", '{"session_id":"s","tags":["none"],"wait_seconds":60}', {
          reply: "nobody",
        });
      }
      await client.flush();
      const stopped = app.stop();
      kill();
      await stopped;`,
  };
  for (const [name, around] of Object.entries(cases)) {
    it(`ends ${name}, and leaves nothing that would keep the process alive`, async () => {
      await using server = await TestServer.start();
      const printed = await runModule(`
        const { connect } = await import("@nats-io/transport-node");
        let told;
        const disconnected = new Promise((resolve) => (told = resolve));
        const url = "${server.url}";
        const client = await connect({ servers: url, reconnect: false });
        // Anything that waits for the server would wait longer than this process may run.
        const settings = { "nats.servers": [url], "nats.reconnect_time_wait": 60, workers: 2 };
        const app = await start(settings, {
          observe: (fact) => {
            if (fact.kind === "connection" && fact.state === "disconnected") told();
          },
        });
        const kill = () => process.kill(${server.pid}, "SIGKILL");
        ${around}
        await client.close();
        console.log("stopped");`);
      assert.equal(printed, "stopped\n");
    });
  }
});

describe("a sink of facts that throws", () => {
  it("breaks no answer, and the other sinks receive every fact", async () => {
    await using server = await TestServer.start();
    const connection = await server.connect();
    const overrides = { "metrics.port": 0, "nats.servers": [server.url], workers: 2 };
    const heard: Fact["kind"][] = [];
    const app = await startApp(loadConfig({ env: {}, overrides }), {
      log: false,
      observe: ({ kind }) => {
        heard.push(kind);
        throw new Error("this sink is broken");
      },
    });
    const ok = async (subject: string, body: object): Promise<Json> => {
      const reply = await connection.request(subject, JSON.stringify(body), { timeout: 10_000 });
      assert.equal(reply.json<Json>().ok, true, reply.string());
    };
    await ok("tasks.create.a", {});
    await ok("tasks.create.b", { depends_on: ["a"] });
    await ok("tasks.claim.a", { session_id: "s1" });
    await ok("tasks.release.a", { session_id: "s1", status: "complete" });
    await ok("tasks.next", { session_id: "s1", wait_seconds: 30 });
    for (const kind of ["index_current", "task_written", "request"] as const) {
      assert.ok(heard.includes(kind), kind);
    }
    const metrics = await (await fetch(`${app.httpUrl ?? ""}/metrics`)).text();
    assert.match(
      metrics,
      /if_coordinator_requests_total\{operation="tasks.claim",outcome="ok"\} 1/,
    );
    await app.stop();
  });
});
