/** A command with several `--workers`, while it serves. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { NatsConnection } from "@nats-io/transport-node";
import { MAIN } from "../support/cli-process.ts";
import { TestServer } from "../support/nats-server.ts";
import { Serve } from "../support/serve.ts";
import { TempFolder } from "../support/temp-folder.ts";
import type { Json } from "../support/test-coordinator.ts";

const CLAIMED = 'if_coordinator_tasks{status="claimed"}';
const CLAIMS = 'if_coordinator_requests_total{operation="tasks.claim",outcome="ok"}';

async function request(connection: NatsConnection, subject: string, body: object): Promise<Json> {
  return (await connection.request(subject, JSON.stringify(body), { timeout: 10_000 })).json();
}

async function claim(connection: NatsConnection, prefix: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await request(connection, `tasks.create.${prefix}${i}`, {});
    const { ok } = await request(connection, `tasks.claim.${prefix}${i}`, { session_id: "s" });
    assert.ok(ok);
  }
}

/** The ids of the workers in the queue group, as each worker reports its own. */
async function members(connection: NatsConnection, count: number): Promise<string[]> {
  const replies = await connection.requestMany("$SRV.PING", "", {
    strategy: "count",
    maxMessages: count,
    maxWait: 5_000,
  });
  const ids: string[] = [];
  for await (const reply of replies) {
    ids.push(reply.json<{ metadata: { worker_id: string } }>().metadata.worker_id);
  }
  return ids.sort();
}

describe("several workers of a command", () => {
  it("run in processes of their own, in one queue group, with one HTTP endpoint", async () => {
    await using server = await TestServer.start();
    const connection = await server.connect();
    await using serve = await Serve.start(server.url, ["--workers", "3"]);
    assert.equal(serve.workers().length, 3);
    const { code, workers } = await serve.readiness();
    assert.equal(code, 200);
    assert.deepEqual(workers.map(({ id }) => id as string).sort(), await members(connection, 3));
    assert.ok(workers.every(({ problems }) => Array.isArray(problems) && problems.length === 0));

    await claim(connection, "t", 30);
    for (;;) {
      const metrics = await serve.metrics();
      assert.equal(metrics.get(CLAIMS), 30, "the sum");
      assert.equal(metrics.get("if_coordinator_claim_duration_seconds_count"), 30);
      assert.equal(metrics.get("if_coordinator_event_bus_health"), 1);
      assert.equal(metrics.get("if_coordinator_claim_success_rate"), 100);
      const claimed = metrics.get(CLAIMED) ?? 0;
      assert.ok(claimed <= 30, "every worker knows all of the tasks");
      // Until then, some index may lack a task.
      if (claimed === 30) break;
    }
  });

  it("are replaced when they are killed, while the others answer", async () => {
    await using server = await TestServer.start();
    const connection = await server.connect();
    await using serve = await Serve.start(server.url, ["--workers", "3"]);
    await claim(connection, "a", 20);
    assert.equal((await serve.metrics()).get(CLAIMS), 20);
    const [killed, ...others] = serve.workers();
    process.kill(killed?.pid ?? 0, "SIGKILL");
    const [, id] = await serve.waitFor(/WARN +(worker-\w+) \(process \d+\) was ended by SIGKILL: /);
    const { code, status, workers } = await serve.readiness();
    assert.deepEqual([code, status, workers.length], [503, "not ready", 3]);
    assert.ok(!workers.some((worker) => worker.id === id));
    await claim(connection, "b", 10);
    assert.equal((await serve.metrics()).get(CLAIMS), 30, "what the dead one has counted stays");

    await serve.ready();
    const pids = serve.workers().map(({ pid }) => pid);
    assert.equal(pids.length, 3);
    assert.ok(others.every(({ pid }) => pids.includes(pid)));
    assert.equal((await members(connection, 3)).length, 3);
    await claim(connection, "c", 10);
    assert.equal((await serve.metrics()).get(CLAIMS), 40);
  });

  it("are replaced until one can start, if they have given up on NATS", async () => {
    await using server = await TestServer.start();
    const env = {
      IF_COORDINATOR_NATS_MAX_RECONNECT_ATTEMPTS: "1",
      IF_COORDINATOR_NATS_RECONNECT_TIME_WAIT: "0",
    };
    await using serve = await Serve.start(server.url, ["--workers", "2"], { env });
    await server.kill();
    await serve.waitFor(/WARN +worker-\w+ \(process \d+\) ended: .*: starting another in 1 s/);
    await serve.waitFor(/WARN +a worker could not start: cannot connect to NATS at /);
    assert.equal((await serve.get("/healthz")).status, 200);
    await server.restart();
    await serve.ready();
    const connection = await server.connect();
    assert.equal((await members(connection, 2)).length, 2);
  });

  it("are not ready, and keep only their counts in the metrics, while they do not answer", async () => {
    await using server = await TestServer.start();
    const connection = await server.connect();
    await using serve = await Serve.start(server.url, ["--workers", "2"]);
    await claim(connection, "t", 20);
    const before = await serve.metrics();
    const pid = serve.workers()[0]?.pid ?? 0;
    process.kill(pid, "SIGSTOP");
    const without = await serve.metrics();
    assert.equal(without.get(CLAIMS), 20, "what it had counted is known");
    const memory = "process_resident_memory_bytes";
    assert.ok((without.get(memory) ?? 0) < 0.75 * (before.get(memory) ?? 0), "its gauges are not");
    const { code, status, workers } = await serve.readiness();
    assert.deepEqual([code, status], [503, "not ready"]);
    assert.deepEqual(workers.map(({ connected }) => connected as boolean).sort(), [false, true]);
    assert.ok(workers.every(({ id }) => id !== null));
    process.kill(pid, "SIGCONT");
    await serve.ready();
  });

  const skip = process.platform === "linux" ? false : "there is no /proc";
  it("receive their passwords in a way that nobody else can read", { skip }, async () => {
    await using folder = await TempFolder.create();
    const authorization = `authorization { user: worker, password: "se-cr-et" }`;
    await using server = await TestServer.start({ config: `jetstream: enabled\n${authorization}` });
    const file = join(folder.path, "coordinator.yaml");
    await writeFile(file, "coordinator: { nats: { username: worker, password: se-cr-et } }\n");
    await using serve = await Serve.start(server.url, ["--workers", "2", "--config", file]);
    for (const { pid, args } of serve.workers()) {
      assert.doesNotMatch(args, /se-cr-et/);
      assert.doesNotMatch(readFileSync(`/proc/${pid}/environ`, "utf8"), /se-cr-et/);
    }
  });

  it("run with the Node options of the command, and a larger young generation", async () => {
    await using server = await TestServer.start();
    const program = [process.execPath, "--no-deprecation", MAIN] as const;
    await using serve = await Serve.start(server.url, ["--workers", "2"], { program });
    for (const { args } of serve.workers()) {
      assert.match(args, / --no-deprecation --max-semi-space-size=32 /);
    }
  });
});
