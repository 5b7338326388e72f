import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { NatsConnection } from "@nats-io/transport-node";
import { TaskClient } from "../../src/client/task-client.ts";
import { TaskError } from "../../src/client/task-error.ts";
import { createRequester } from "../../src/nats/request.ts";
import type { ErrorCode } from "../../src/protocol/errors.ts";
import { TestServer } from "../support/nats-server.ts";

interface Received {
  readonly subject: string;
  readonly body: Record<string, unknown>;
}

/** Stands in for a coordinator: collects the requests and sends what `answer` returns, if anything. */
async function respond(
  connection: NatsConnection,
  answer: (received: Received) => object | string | null,
): Promise<Received[]> {
  const requests: Received[] = [];
  for (const subject of ["tasks.>", "sessions.>"]) {
    connection.subscribe(subject, {
      callback: (_, message) => {
        const received = { subject: message.subject, body: message.json<Received["body"]>() };
        requests.push(received);
        const reply = answer(received);
        if (reply === null) return;
        message.respond(typeof reply === "string" ? reply : JSON.stringify(reply));
      },
    });
  }
  await connection.flush();
  return requests;
}

async function errorOf(request: Promise<unknown>, code: ErrorCode): Promise<TaskError> {
  try {
    await request;
  } catch (error) {
    assert.ok(error instanceof TaskError, String(error));
    assert.equal(error.code, code, error.message);
    return error;
  }
  throw new assert.AssertionError({ message: `the request should be refused as ${code}` });
}

describe("the task client", () => {
  it("sends each operation to its subject and returns the reply", async () => {
    await using server = await TestServer.start();
    const connection = await server.connect();
    const requests = await respond(connection, () => ({ ok: true, attempt: 4 }));
    const client = new TaskClient(createRequester(connection));

    const claim = await client.claim("P0.5.1", { session_id: "session-1", ttl_seconds: 5 });
    assert.equal(claim.attempt, 4);
    await client.create(undefined, { title: "without an id" });
    await client.stats();
    await client.heartbeat("session-1");
    assert.deepEqual(requests, [
      { subject: "tasks.claim.P0.5.1", body: { session_id: "session-1", ttl_seconds: 5 } },
      { subject: "tasks.create", body: { title: "without an id" } },
      { subject: "tasks.stats", body: {} },
      { subject: "sessions.heartbeat.session-1", body: {} },
    ]);
  });

  it("rejects with the code, the details and the task of a refusal", async () => {
    await using server = await TestServer.start();
    const connection = await server.connect();
    const error = {
      code: "already_claimed",
      message: "session-2 holds it",
      retryable: false,
      claimed_by: "session-2",
    };
    await respond(connection, () => ({ ok: false, error, task: { task_id: "a" } }));
    const client = new TaskClient(createRequester(connection));

    const refusal = await errorOf(client.claim("a", { session_id: "s" }), "already_claimed");
    assert.equal(refusal.message, "session-2 holds it");
    assert.equal(refusal.retryable, false);
    assert.deepEqual(refusal.details, { claimed_by: "session-2" });
    assert.deepEqual(refusal.task, { task_id: "a" });
  });

  it("believes the coordinator about a code that it does not know", async () => {
    await using server = await TestServer.start();
    const connection = await server.connect();
    const error = { code: "out_of_season", message: "come back in spring", retryable: true };
    await respond(connection, () => ({ ok: false, error }));

    const refusal = await errorOf(new TaskClient(createRequester(connection)).stats(), "internal");
    assert.equal(refusal.retryable, true);
    assert.equal(refusal.message, "come back in spring");
  });

  it("rejects an answer that is no reply of a coordinator", async () => {
    await using server = await TestServer.start();
    const connection = await server.connect();
    const client = new TaskClient(createRequester(connection));
    const answers = ["hello", "null", "[]", '{"ok":false}', '{"ok":"yes"}'];
    await respond(connection, () => answers.shift() ?? "");

    for (const expected of [/not JSON/, /no reply/, /no reply/, /no reply/, /no reply/]) {
      const { message } = await errorOf(client.stats(), "internal");
      assert.match(message, expected);
    }
  });

  it("refuses an id that would become another subject, without sending anything", async () => {
    await using server = await TestServer.start();
    const connection = await server.connect();
    const requests = await respond(connection, () => ({ ok: true }));
    const client = new TaskClient(createRequester(connection));

    for (const id of ["", "*", ">", "a..b", ".a", "x; rm -rf /", "a b", "$KV", "a".repeat(257)]) {
      await errorOf(client.get(id), "invalid_request");
      await errorOf(client.unregister(id), "invalid_request");
    }
    assert.deepEqual(requests, []);
  });

  it("says that no coordinator is running and how to start one", async () => {
    await using server = await TestServer.start();
    const client = new TaskClient(createRequester(await server.connect()));
    const error = await errorOf(client.stats(), "unavailable");
    assert.match(error.message, /no coordinator is running .*if-coordinator serve --nats/);
    assert.equal(error.retryable, true);
    assert.deepEqual(error.details, { problem: "no_responders" });
  });

  it("gives up after the timeout, to which `next` adds the time it waits", async () => {
    await using server = await TestServer.start();
    const connection = await server.connect();
    await respond(connection, () => null);
    const client = new TaskClient(createRequester(connection), { timeoutMs: 50 });

    const { message, details } = await errorOf(client.stats(), "unavailable");
    assert.match(message, /no answer from tasks\.stats within 50 ms/);
    assert.deepEqual(details, { problem: "timeout" });
    const next = client.next({ session_id: "s", wait_seconds: 0.2 });
    assert.match((await errorOf(next, "unavailable")).message, /tasks\.next within 250 ms/);
  });

  it("rejects at once what is still unanswered when the connection is closed", async () => {
    await using server = await TestServer.start();
    const connection = await server.connect();
    const client = new TaskClient(createRequester(connection));
    const closed: Promise<void>[] = [];
    await respond(connection, () => {
      closed.push(connection.close());
      return null;
    });

    const waiting = client.next({ session_id: "s", wait_seconds: 60 });
    assert.deepEqual((await errorOf(waiting, "unavailable")).details, { problem: "closed" });
    assert.deepEqual((await errorOf(client.stats(), "unavailable")).details, { problem: "closed" });
    await Promise.all(closed);
  });

  it("cuts an import into requests that the server takes, and adds up their replies", async () => {
    await using server = await TestServer.start({ config: "max_payload: 8192", jetstream: false });
    const connection = await server.connect();
    const requests = await respond(connection, ({ body }) => {
      const [first, ...rest] = (body.tasks as { task_id: string }[]).map((t) => t.task_id);
      return { ok: true, created: rest, unchanged: [first], conflicting: [], warnings: [first] };
    });
    const client = new TaskClient(createRequester(connection));

    const description = "x".repeat(1_000);
    const tasks = Array.from({ length: 20 }, (_, i) => ({ task_id: `t${i}`, description }));
    const reply = await client.importTasks(tasks, { session_id: "operator" });
    assert.ok(requests.length > 1);
    assert.ok(requests.every(({ body }) => body.session_id === "operator"));
    assert.equal(reply.unchanged.length, requests.length);
    assert.deepEqual(reply.warnings, reply.unchanged);
    const ids = [...reply.created, ...reply.unchanged].sort();
    assert.deepEqual(ids, tasks.map((task) => task.task_id).sort());
  });

  it("refuses what is larger than the server takes, and says what to do", async () => {
    await using server = await TestServer.start({ config: "max_payload: 2048", jetstream: false });
    const client = new TaskClient(createRequester(await server.connect()));
    const { message } = await errorOf(client.create("a", { title: "x".repeat(2048) }), "too_large");
    assert.match(message, /has 20\d\d bytes and the NATS server takes 2048: send less, or raise/);
  });

  it("says so when the server does not permit the request", async () => {
    await using server = await TestServer.start({
      config: 'authorization { users = [{ user: u, password: p, permissions: { publish: "x" } }] }',
      jetstream: false,
    });
    const connection = await server.connect({ user: "u", pass: "p" });
    const { message } = await errorOf(
      new TaskClient(createRequester(connection)).stats(),
      "forbidden",
    );
    assert.match(message, /does not permit requests to tasks\.stats/);
  });
});
