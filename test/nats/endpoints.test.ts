import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { NatsConnection } from "@nats-io/transport-node";
import { type NamedEndpointStats, type ServiceInfo, Svcm } from "@nats-io/services";
import { Endpoints } from "../../src/nats/endpoints.ts";
import { CoordinatorError } from "../../src/protocol/errors.ts";
import { OPERATION_IDS, OPERATION_NAMES, OPERATIONS } from "../../src/protocol/operations.ts";
import type { Answer, Arrival, Call, Fact, RequestHandler } from "../../src/service/ports.ts";
import { TestServer } from "../support/nats-server.ts";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

/** The answers of the given number of services, as `nats micro` shows them. */
async function all<T>(
  connection: NatsConnection,
  verb: "ping" | "info" | "stats",
  count: number,
): Promise<T[]> {
  const client = new Svcm(connection).client({
    strategy: "count",
    maxMessages: count,
    maxWait: 10_000,
  });
  const answers: unknown[] = [];
  for await (const answer of await client[verb]("coordinator")) answers.push(answer);
  return answers as T[];
}

async function statsOf(connection: NatsConnection, name: string): Promise<NamedEndpointStats> {
  const [stats] = await all<{ endpoints: NamedEndpointStats[] }>(connection, "stats", 1);
  const endpoint = stats?.endpoints.find((one) => one.name === name);
  assert.ok(endpoint !== undefined, name);
  return endpoint;
}

/** Starts endpoints in front of the given handler. */
async function serve(
  server: TestServer,
  handle: (call: Call) => Promise<Answer>,
): Promise<{ endpoints: Endpoints; facts: Fact[]; client: NatsConnection }> {
  const facts: Fact[] = [];
  const place = { park: () => undefined, resume: () => undefined };
  const arrive = (arrival: Arrival): void => void arrival.serve(place);
  const handler: RequestHandler = { isShut: () => false, arrive, handle };
  const observe = (fact: Fact): void => {
    facts.push(fact);
  };
  const identity = { workerId: "worker-1", version: "1.2.3" };
  const connection = await server.connect();
  const endpoints = await Endpoints.start(connection, handler, observe, identity);
  return { endpoints, facts, client: await server.connect() };
}

describe("the NATS service", () => {
  it("is one service named coordinator for each worker", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 3 });
    const pings = await all<Json>(coordinator.connection, "ping", 3);
    assert.deepEqual(
      pings.map(({ name }) => name),
      ["coordinator", "coordinator", "coordinator"],
    );
    const workers = pings.map(({ metadata }) => metadata.worker_id as string);
    assert.equal(new Set(workers).size, 3);
    const { worker } = await coordinator.ok("tasks.stats");
    assert.ok(workers.includes(worker.id));
    assert.match(pings[0].metadata.package_version, /^\d+\.\d+\.\d+/);
  });

  it("announces the time, the settings and the parked requests of the worker", async () => {
    await using coordinator = await TestCoordinator.start({ settings: { max_failures: 7 } });
    const waiting = coordinator.request("tasks.next", { session_id: "s1", wait_seconds: 10 });
    await coordinator.until("tasks.stats", ({ worker }) => worker.waiting === 1);
    const before = Date.now();
    const { data } = await statsOf(coordinator.connection, "tasks-stats");
    const announced = data as Json;
    const time = Date.parse(announced.time);
    assert.ok(time >= before && time <= Date.now(), announced.time);
    assert.deepEqual([announced.settings.max_failures, announced.waiting], [7, 1]);
    assert.equal((await statsOf(coordinator.connection, "tasks-get")).data, null);
    await coordinator.ok("tasks.create.a");
    await waiting;
  });

  it("has an endpoint for each operation and each kind of client, in one queue group", async () => {
    await using coordinator = await TestCoordinator.start();
    const [info] = await all<ServiceInfo>(coordinator.connection, "info", 1);
    const subjects = info?.endpoints.map(({ subject }) => subject).sort();
    const expected = OPERATION_NAMES.flatMap((operation) => {
      const id = OPERATION_IDS[operation];
      const withId = id === "none" ? [] : [`${operation}.>`];
      const without = id === "required" ? [] : [operation];
      return [...withId, ...without].flatMap((subject) => [
        subject,
        `agent.*.${subject}`,
        `operator.*.${subject}`,
      ]);
    });
    assert.deepEqual(subjects, expected.sort());
    const groups = new Set(info?.endpoints.map(({ queue_group }) => queue_group));
    assert.deepEqual([...groups], ["coordinator"]);
    const names = info?.endpoints.map(({ name }) => name) ?? [];
    assert.equal(new Set(names).size, names.length);
  });

  it("publishes the JSON Schemas of each operation in the metadata", async () => {
    await using coordinator = await TestCoordinator.start();
    const [info] = await all<ServiceInfo>(coordinator.connection, "info", 1);
    for (const operation of OPERATION_NAMES) {
      const endpoint = info?.endpoints.find(({ name }) => name === operation.replace(".", "-"));
      const { summary, request_schema, response_schema } = endpoint?.metadata ?? {};
      assert.equal(summary, OPERATIONS[operation].summary);
      const request = JSON.parse(request_schema ?? "");
      assert.equal(request.type, "object");
      assert.equal(request.additionalProperties, false);
      const reply = JSON.parse(response_schema ?? "");
      assert.equal(reply.properties.ok.const, true);
    }
  });

  it("counts requests and error replies, each by its operation and root", async () => {
    await using coordinator = await TestCoordinator.start();
    const { connection } = coordinator;
    await coordinator.ok("tasks.create.a");
    await coordinator.ok("tasks.create");
    for (let i = 0; i < 3; i++) await coordinator.ok("tasks.get.a");
    await coordinator.refused("tasks.get.b");
    await coordinator.ok("agent.alice.tasks.get.a");
    // An id may look like an operation.
    await coordinator.refused("tasks.get.tasks.get");

    const get = await statsOf(connection, "tasks-get");
    assert.deepEqual([get.num_requests, get.num_errors], [5, 2]);
    assert.match(get.last_error ?? "", /^there is no task tasks\.get/);
    assert.ok(get.processing_time > 0);
    assert.equal(get.average_processing_time, Math.round(get.processing_time / 5));
    const agents = await statsOf(connection, "agent-tasks-get");
    assert.deepEqual([agents.num_requests, agents.num_errors], [1, 0]);
    const [create, any] = [
      await statsOf(connection, "tasks-create"),
      await statsOf(connection, "tasks-create-any"),
    ];
    assert.deepEqual([create.num_requests, any.num_requests], [1, 1]);
    assert.equal((await statsOf(connection, "tasks-claim")).num_requests, 0);
  });

  it("counts the time until the answer, not until the handler returns", async () => {
    await using server = await TestServer.start();
    const { endpoints, client } = await serve(server, async () => {
      await delay(50);
      return { body: { ok: true } };
    });
    await client.request("tasks.get.a");
    const { processing_time } = await statsOf(client, "tasks-get");
    // Timers may fire early by a fraction of a millisecond.
    assert.ok(processing_time >= 49e6 && processing_time < 5e9, `${processing_time} ns`);
    await endpoints.stop();
  });
});

describe("the endpoints", () => {
  it("pass on the request and who sent it", async () => {
    await using server = await TestServer.start();
    const calls: Omit<Call, "place" | "client">[] = [];
    const { endpoints, client } = await serve(server, (call) => {
      const { operation, id, body, principal, sender } = call;
      calls.push({ operation, id, body, principal, sender });
      return Promise.resolve({ body: { ok: true } });
    });
    await client.request("tasks.get.P0.5.1");
    await client.request("agent.alice.tasks.get.P0.5.1");
    await client.request("tasks.create", '{"title":"A"}');
    const principal = { role: "agent", name: "alice" };
    const connection = calls[0]?.sender;
    assert.match(connection ?? "", /^_INBOX\.\w+$/);
    assert.deepEqual(calls, [
      { operation: "tasks.get", id: "P0.5.1", body: {}, principal: null, sender: connection },
      { operation: "tasks.get", id: "P0.5.1", body: {}, principal, sender: "agent.alice" },
      {
        ...{ operation: "tasks.create", id: undefined, body: { title: "A" } },
        ...{ principal: null, sender: connection },
      },
    ]);
    await endpoints.stop();
  });

  it("report what a request names", async () => {
    await using server = await TestServer.start();
    const { endpoints, facts, client } = await serve(server, () =>
      Promise.resolve({ body: { ok: true } }),
    );
    await client.request("agent.alice.tasks.renew.P0.5.1", '{"session_id":"alice","attempt":3}');
    await client.request("tasks.get.P0.5.1");
    await client.request("tasks.get.no*id");
    const names = facts.map((fact) => {
      assert.ok(fact.kind === "request");
      return [fact.principal, fact.id, fact.sessionId, fact.attempt];
    });
    assert.deepEqual(names, [
      ["agent.alice", "P0.5.1", "alice", 3],
      [null, "P0.5.1", null, null],
      [null, null, null, null],
    ]);
    await endpoints.stop();
  });

  it("answer a defect with the code `internal`, and report the defect to the log only", async () => {
    await using server = await TestServer.start();
    const secret = new Error("the secret of the house");
    const { endpoints, facts, client } = await serve(server, () => Promise.reject(secret));
    const message = await client.request("tasks.get.a");
    const { error } = message.json<Json>();
    assert.deepEqual([error.code, error.retryable], ["internal", false]);
    assert.doesNotMatch(error.message, /secret/);
    assert.equal(message.headers?.get("Nats-Service-Error-Code"), "500");
    const [fact] = facts;
    assert.ok(fact?.kind === "request" && fact.outcome === "internal");
    assert.equal(fact.cause, secret);
    await endpoints.stop();
  });

  it("refuse to send a reply that is too large for NATS, and return its claims", async () => {
    await using server = await TestServer.start();
    let undelivered = 0;
    const { endpoints, client } = await serve(server, () =>
      Promise.resolve({ body: { ok: true, large: "x".repeat(1024 * 1024) }, undelivered: count }),
    );
    function count(): void {
      undelivered++;
    }
    const message = await client.request("tasks.list");
    const { error } = message.json<Json>();
    assert.equal(error.code, "too_large");
    assert.match(error.message, /more than the 1048576 bytes that NATS carries: ask for less/);
    assert.equal(message.headers?.get("Nats-Service-Error-Code"), "413");
    assert.equal(undelivered, 1);
    await endpoints.stop();
  });

  it("leave out the task of an error reply that would be too large", async () => {
    await using server = await TestServer.start();
    const task = { title: "x".repeat(1024 * 1024 - 200) };
    const { endpoints, client } = await serve(server, () =>
      Promise.reject(new CoordinatorError("already_exists", "it is there", { task })),
    );
    const reply = (await client.request("tasks.create.a")).json<Json>();
    assert.deepEqual([reply.error.code, reply.error.message], ["already_exists", "it is there"]);
    assert.equal(reply.task, undefined);
    await endpoints.stop();
  });

  it("tell the handler when nobody received its answer", async () => {
    await using server = await TestServer.start();
    let undelivered = 0;
    const { endpoints, facts, client } = await serve(server, () =>
      Promise.resolve({ body: { ok: true }, undelivered: () => undelivered++ }),
    );
    client.publish("tasks.next", '{"session_id":"s1"}', { reply: "nobody.listens" });
    await client.request("tasks.next", '{"session_id":"s1"}');
    await endpoints.stop();
    assert.equal(undelivered, 1);
    const told = facts.filter(({ kind }) => kind === "answer_undelivered");
    assert.deepEqual(told, [{ kind: "answer_undelivered", operation: "tasks.next" }]);
  });

  it("answer the requests under way before they stop, and none after", async () => {
    await using server = await TestServer.start();
    const gate = { open: (): void => undefined };
    const opened = new Promise<void>((resolve) => (gate.open = resolve));
    let arrived = (): void => undefined;
    const underway = new Promise<void>((resolve) => (arrived = resolve));
    const { endpoints, client } = await serve(server, async () => {
      arrived();
      await opened;
      return { body: { ok: true } };
    });
    const answer = client.request("tasks.get.a", "", { timeout: 10_000 });
    await underway;
    const stopped = endpoints.stop();
    gate.open();
    assert.equal((await answer).json<Json>().ok, true);
    await stopped;
    await assert.rejects(client.request("tasks.get.a"), /no responders/);
  });
});
