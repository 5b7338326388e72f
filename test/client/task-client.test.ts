import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TaskClient } from "../../src/client/task-client.ts";
import { createRequester } from "../../src/nats/request.ts";
import { TestServer } from "../support/nats-server.ts";
import { errorOf, NotedLog, respond } from "../support/stand-in.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

describe("the task client", () => {
  it("sends each operation to its subject and returns the reply", async () => {
    await using server = await TestServer.start();
    const connection = await server.connect();
    const requests = await respond(connection, () => ({ ok: true, attempt: 4 }));
    const client = new TaskClient(createRequester(connection));

    const claim = await client.claim("P0.5.1", { session_id: "session-1", ttl_seconds: 5 });
    assert.equal(claim.attempt, 4);
    await client.create("P0.5.2", { title: "Second" });
    await client.stats();
    await client.heartbeat("session-1");
    assert.deepEqual(requests, [
      { subject: "tasks.claim.P0.5.1", body: { session_id: "session-1", ttl_seconds: 5 } },
      { subject: "tasks.create.P0.5.2", body: { title: "Second" } },
      { subject: "tasks.stats", body: {} },
      { subject: "sessions.heartbeat.session-1", body: {} },
    ]);
  });

  it("chooses the id of a task that is created without one, unless the fields have it", async () => {
    await using server = await TestServer.start();
    const connection = await server.connect();
    const requests = await respond(connection, () => ({ ok: true }));
    const client = new TaskClient(createRequester(connection));

    await client.create(undefined, { title: "A" });
    await client.create(undefined, { title: "B" });
    await client.create(undefined, { task_id: "c", title: "C" });
    const [a = "", b = "", c] = requests.map(({ subject }) =>
      subject.slice("tasks.create.".length),
    );
    assert.match(a, UUID);
    assert.match(b, UUID);
    assert.notEqual(a, b);
    assert.equal(c, "c");
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

  it("keeps what the coordinator says about an unknown code", async () => {
    await using server = await TestServer.start();
    const connection = await server.connect();
    const error = { code: "out_of_season", message: "come back in spring", retryable: true };
    await respond(connection, () => ({ ok: false, error }));

    const client = new TaskClient(createRequester(connection), { deadlineMs: 0 });
    const refusal = await errorOf(client.stats(), "internal");
    assert.equal(refusal.retryable, true);
    assert.equal(refusal.message, "come back in spring");
  });

  it("rejects an answer that is not a reply of a coordinator", async () => {
    await using server = await TestServer.start();
    const connection = await server.connect();
    const client = new TaskClient(createRequester(connection));
    const answers = ["hello", "null", "[]", '{"ok":false}', '{"ok":"yes"}'];
    await respond(connection, () => answers.shift() ?? "");

    for (const expected of [
      /not JSON/,
      /not a reply/,
      /not a reply/,
      /not a reply/,
      /not a reply/,
    ]) {
      const { message } = await errorOf(client.stats(), "internal");
      assert.match(message, expected);
    }
  });

  it("refuses an id that would result in another subject, and sends nothing", async () => {
    await using server = await TestServer.start();
    const connection = await server.connect();
    const requests = await respond(connection, () => ({ ok: true }));
    const client = new TaskClient(createRequester(connection));

    for (const id of ["", "*", ">", "a..b", ".a", "x; rm -rf /", "a b", "$KV", "a".repeat(257)]) {
      await errorOf(client.get(id), "invalid_request");
      await errorOf(client.create(id, {}), "invalid_request");
      await errorOf(client.unregister(id), "invalid_request");
    }
    assert.deepEqual(requests, []);
  });

  it("says that no coordinator is running and how to start one", async () => {
    await using server = await TestServer.start();
    const client = new TaskClient(createRequester(await server.connect()), { deadlineMs: 0 });
    const error = await errorOf(client.stats(), "unavailable");
    assert.match(error.message, /no coordinator is running .*if-coordinator serve --nats/);
    assert.equal(error.retryable, true);
    assert.deepEqual(error.details, { problem: "no_responders" });
  });

  it("gives up after the timeout, to which `next` adds the time it waits", async () => {
    await using server = await TestServer.start();
    const connection = await server.connect();
    await respond(connection, () => null);
    const client = new TaskClient(createRequester(connection), { timeoutMs: 50, deadlineMs: 0 });

    const { message, details } = await errorOf(client.stats(), "unavailable");
    assert.match(message, /no answer from tasks\.stats within 50 ms/);
    assert.deepEqual(details, { problem: "timeout" });
    const next = client.next({ session_id: "s", wait_seconds: 0.2 });
    assert.match((await errorOf(next, "unavailable")).message, /tasks\.next within 250 ms/);
  });

  it("prefers the timeout and the deadline of a call to its own", async () => {
    await using server = await TestServer.start();
    const connection = await server.connect();
    const requests = await respond(connection, () => null);
    const client = new TaskClient(createRequester(connection), { timeoutMs: 10, deadlineMs: 0 });

    await errorOf(client.stats({ deadlineMs: 300 }), "unavailable");
    const before = requests.length;
    assert.ok(before > 1, `${before} requests`);
    const { message } = await errorOf(client.stats({ timeoutMs: 60 }), "unavailable");
    assert.match(message, /tasks\.stats within 60 ms/);
    assert.equal(requests.length, before + 1);
  });

  it("waits for a task for the given time in total, even if it needs several requests", async () => {
    await using server = await TestServer.start();
    const connection = await server.connect();
    const busy = { code: "overloaded", message: "not now", retryable: true };
    const requests = await respond(connection, (_, count) =>
      count === 1 ? { ok: false, error: busy } : { ok: true, claims: [] },
    );
    const client = new TaskClient(createRequester(connection));
    await client.next({ session_id: "s", wait_seconds: 0.5 });
    await client.next({ session_id: "s", request_id: "mine" });
    const [first, again, other] = requests.map(({ body }) => body);
    assert.match(String(first?.request_id), UUID);
    assert.equal(again?.request_id, first?.request_id);
    assert.equal(first?.wait_seconds, 0.5);
    const left = Number(again?.wait_seconds);
    assert.ok(left > 0 && left <= 0.45, `${left} s left`);
    assert.deepEqual(other, { session_id: "s", request_id: "mine", wait_seconds: 0 });
  });

  it("logs every request, and the reason of each retry", async () => {
    await using server = await TestServer.start();
    const connection = await server.connect();
    const busy = { code: "overloaded", message: "not now", retryable: true };
    await respond(connection, (_, count) =>
      count === 1 ? { ok: false, error: busy } : { ok: true, attempt: 1 },
    );
    const logger = new NotedLog();
    const client = new TaskClient(createRequester(connection), { logger });

    await client.claim("a", { session_id: "s" });
    await client.release("a", { session_id: "s", status: "complete" });
    assert.deepEqual(
      logger.lines.map(({ level, message }) => `${level}: ${message}`),
      [
        'debug: tasks.claim.a {"session_id":"s"}',
        "debug: tasks.claim.a: not now",
        'debug: tasks.claim.a {"session_id":"s"}',
        'debug: tasks.release.a {"session_id":"s","status":"complete","attempt":1}',
      ],
    );
  });

  it("rejects unanswered requests at once when the connection is closed", async () => {
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

  it("cuts an import into requests that the server accepts, and merges their replies", async () => {
    await using server = await TestServer.start({ config: "max_payload: 8192", jetstream: false });
    const connection = await server.connect();
    const requests = await respond(connection, ({ body }) => {
      const [first, ...rest] = (body.tasks as { task_id: string }[]).map((t) => t.task_id);
      return {
        ok: true,
        created: rest,
        unchanged: [first],
        conflicting: [],
        conflicts: [],
        warnings: [first],
      };
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

  it("refuses a request that is too large for the server, and says what to do", async () => {
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
