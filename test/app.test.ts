import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { describe, it } from "node:test";
import { type NatsConnection, NoRespondersError, RequestError } from "@nats-io/transport-node";
import { type App, type AppOptions, startApp, StartupError } from "../src/app.ts";
import { loadConfig, type OverrideValues } from "../src/config.ts";
import type { Fact } from "../src/service/ports.ts";
import { TestServer } from "./support/nats-server.ts";
import { runModule } from "./support/run-module.ts";
import type { Json } from "./support/test-coordinator.ts";

function start(url: string, settings: OverrideValues, options: AppOptions = {}): Promise<App> {
  const overrides = {
    "nats.servers": [url],
    "nats.reconnect_time_wait": 0,
    "nats.connect_timeout_seconds": 0,
    "metrics.enabled": false,
    ...settings,
  };
  return startApp(loadConfig({ env: {}, overrides }), { log: false, ...options });
}

const WITH_HTTP = { "metrics.enabled": true, "metrics.port": 0 };

async function request(
  connection: NatsConnection,
  subject: string,
  body: object = {},
): Promise<Json> {
  return (await connection.request(subject, JSON.stringify(body), { timeout: 10_000 })).json();
}

function isNoResponders(error: unknown): boolean {
  return (
    error instanceof NoRespondersError || (error instanceof RequestError && error.isNoResponders())
  );
}

/** Starts the coordinator in a process that must end by itself. Returns why it did not start. */
function startupError(overrides: OverrideValues, options = "{}"): Promise<string> {
  return runModule(`
    try {
      await start(${JSON.stringify(overrides)}, ${options});
      console.log("it started");
    } catch (error) {
      console.log(error.name + ": " + error.message);
    }`);
}

describe("stopping the coordinator", () => {
  it("answers the parked requests, and accepts no new ones", async () => {
    await using server = await TestServer.start();
    const connection = await server.connect();
    const app = await start(server.url, { workers: 2 });
    const waiting = [1, 2, 3].map((i) =>
      request(connection, "tasks.next", { session_id: `s${i}`, wait_seconds: 9 }),
    );
    for (let parked = 0; parked < 3;) {
      // Either worker may answer. In the end, both have said how many requests they have parked.
      const byWorker = new Map<string, number>();
      while (byWorker.size < 2) {
        const { worker } = await request(connection, "tasks.stats");
        byWorker.set(worker.id as string, worker.waiting as number);
      }
      parked = [...byWorker.values()].reduce((sum, count) => sum + count, 0);
    }
    const startedAt = Date.now();
    await app.stop();
    for (const reply of await Promise.all(waiting)) {
      assert.deepEqual([reply.ok, reply.claims], [true, []]);
    }
    assert.ok(Date.now() - startedAt < 5_000);
    await assert.rejects(request(connection, "tasks.stats"), isNoResponders);
  });

  it("answers the requests that have arrived, and loses nothing that it has answered", async () => {
    await using server = await TestServer.start();
    const connection = await server.connect();
    const app = await start(server.url, {});
    const requests = Array.from({ length: 200 }, (_, i) =>
      request(connection, `tasks.create.t${i}`),
    );
    await requests[0];
    await app.stop();
    const replies = await Promise.allSettled(requests);
    const created = replies.flatMap((reply) => {
      if (reply.status === "fulfilled") return [reply.value.task.task_id as string];
      assert.ok(isNoResponders(reply.reason), String(reply.reason));
      return [];
    });
    const again = await start(server.url, {});
    const { tasks } = await request(connection, "tasks.list", { limit: 1_000 });
    assert.deepEqual(new Set(tasks.map((task: Json) => task.task_id)), new Set(created));
    await again.stop();
  });

  it("is idempotent", async () => {
    await using server = await TestServer.start();
    const app = await start(server.url, WITH_HTTP);
    await Promise.all([app.stop(), app.stop()]);
    await app.stop();
  });

  it("is not reported as a failure", async () => {
    await using server = await TestServer.start();
    const app = await start(server.url, {});
    const first = Promise.race([app.failed, app.stop().then(() => "stopped")]);
    assert.equal(await first, "stopped");
    const pending = Symbol("pending");
    const next = new Promise((resolve) => setImmediate(resolve, pending));
    assert.equal(await Promise.race([app.failed, next]), pending);
  });

  it("leaves nothing that would keep the process alive", async () => {
    await using server = await TestServer.start();
    const printed = await runModule(`
      const app = await start({ "nats.servers": ["${server.url}"], workers: 2 });
      await (await fetch(app.httpUrl + "/metrics")).text();
      await app.stop();
      console.log("stopped");`);
    assert.equal(printed, "stopped\n");
  });
});

describe("the HTTP endpoint of the coordinator", () => {
  it("serves the metrics, and counts claims", async () => {
    await using server = await TestServer.start();
    const connection = await server.connect();
    const app = await start(server.url, { ...WITH_HTTP, workers: 2 });
    const metric = async (name: string): Promise<number> => {
      const response = await fetch(`${app.httpUrl ?? ""}/metrics`);
      const lines = (await response.text()).split("\n");
      const line = lines.find((one) => one.startsWith(`${name} `));
      return Number(line?.slice(name.length + 1) ?? assert.fail(`no metric ${name}`));
    };
    const claims = 'if_coordinator_requests_total{operation="tasks.claim",outcome="ok"}';
    assert.ok(Number.isNaN(await metric("if_coordinator_claim_latency_p95")));
    assert.ok(Number.isNaN(await metric("if_coordinator_claim_success_rate")));
    assert.equal(await metric("if_coordinator_active_tasks"), 0);
    assert.equal(await metric("if_coordinator_event_bus_health"), 1);

    for (const id of ["a", "b"]) await request(connection, `tasks.create.${id}`);
    await request(connection, "tasks.claim.a", { session_id: "s1" });
    assert.equal(await metric(claims), 1);
    await request(connection, "tasks.claim.b", { session_id: "s1" });
    await request(connection, "tasks.claim.b", { session_id: "s2" });
    // The gauges show the index of the first worker. A worker that has caught up answers the stats.
    for (let worker = ""; worker !== app.workerIds[0];) {
      worker = (await request(connection, "tasks.stats")).worker.id as string;
    }
    assert.equal(await metric(claims), 2);
    assert.equal(await metric("if_coordinator_active_tasks"), 2);
    assert.equal(await metric("if_coordinator_claim_success_rate"), 100);
    const p95 = await metric("if_coordinator_claim_latency_p95");
    assert.ok(p95 > 0 && p95 < 10, `${p95} s`);
    await app.stop();
    await assert.rejects(fetch(`${app.httpUrl ?? ""}/metrics`));
  });

  it("says whether it is alive and ready, also while NATS is down", async () => {
    await using server = await TestServer.start();
    let told: (fact: Fact) => void = () => undefined;
    const observe = (fact: Fact): void => {
      told(fact);
    };
    const becomes = (kind: Fact["kind"], state?: string): Promise<void> =>
      new Promise((resolve) => {
        told = (fact) => {
          if (fact.kind !== kind) return;
          if (fact.kind !== "connection" || fact.state === state) resolve();
        };
      });
    const app = await start(server.url, WITH_HTTP, { observe });
    const status = async (path: string): Promise<[number, Json]> => {
      const response = await fetch(`${app.httpUrl ?? ""}${path}`);
      return [response.status, await response.json()];
    };
    assert.equal((await status("/healthz"))[0], 200);
    const [code, ready] = await status("/readyz");
    assert.deepEqual([code, ready.ready, ready.workers[0].id], [200, true, app.workerIds[0]]);
    assert.deepEqual(ready.problems, []);

    const away = becomes("connection", "disconnected");
    await server.kill();
    await away;
    assert.equal((await status("/healthz"))[0], 200);
    const [unready, reason] = await status("/readyz");
    assert.deepEqual([unready, reason.status], [503, "not connected to NATS"]);

    const back = becomes("index_current");
    await server.restart();
    await back;
    assert.equal((await status("/readyz"))[0], 200);
    await app.stop();
  });

  it("does not exist if it is switched off", async () => {
    await using server = await TestServer.start();
    const app = await start(server.url, { "metrics.enabled": false });
    assert.equal(app.httpUrl, null);
    await app.stop();
  });
});

describe("a coordinator that cannot start", () => {
  it("says that it cannot reach NATS, and leaves nothing running", async () => {
    const message = await startupError({ "nats.servers": ["nats://127.0.0.1:9"] });
    assert.match(message, /^StartupError: cannot connect to NATS at nats:\/\/127\.0\.0\.1:9 /);
    assert.match(message, /start a server, or name another with --nats/);
  });

  it("says that the HTTP port is taken, and leaves nothing running", async () => {
    await using server = await TestServer.start();
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    const overrides = { "nats.servers": [server.url], "metrics.port": port };
    const message = await startupError(overrides);
    assert.match(message, new RegExp(`^StartupError: HTTP port ${port} .*--http-port`));
    taken.close();
  });

  it("stops the workers and the endpoint that started before the worker that failed", async () => {
    await using server = await TestServer.start();
    const connection = await server.connect();
    const probe = createServer().listen(0, "127.0.0.1");
    await once(probe, "listening");
    const { port } = probe.address() as AddressInfo;
    await new Promise((resolve) => probe.close(resolve));
    let workers = 0;
    const starting = start(
      server.url,
      { "metrics.enabled": true, "metrics.port": port, workers: 2 },
      {
        wrapStores: (stores) => {
          if (++workers === 2) throw new Error("the second one fails");
          return stores;
        },
      },
    );
    await assert.rejects(starting, (error) => {
      assert.ok(error instanceof StartupError);
      assert.equal(error.message, "the second one fails");
      return true;
    });
    await assert.rejects(request(connection, "tasks.stats"), isNoResponders);
    await assert.rejects(fetch(`http://127.0.0.1:${port}/healthz`));
  });

  it("leaves nothing running when one of its watches cannot start", async () => {
    await using server = await TestServer.start();
    const message = await startupError(
      { "nats.servers": [server.url] },
      `{
        wrapStores: (stores) => {
          const watch = stores.tasks.watch.bind(stores.tasks);
          const watching = new Promise((resolve, reject) => {
            stores.tasks.watch = (tasks) => {
              const begun = watch(tasks);
              begun.then(resolve, reject);
              return begun;
            };
          });
          stores.sessions.watch = () => watching.then(() => {
            throw new Error("no watch");
          });
          return stores;
        },
      }`,
    );
    assert.equal(message, "StartupError: no watch\n");
  });
});
