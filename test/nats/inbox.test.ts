/** Users who may receive replies only below a prefix of their own. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StartupError } from "../../src/app.ts";
import { Coordinator } from "../../src/client/coordinator.ts";
import { EventBus } from "../../src/client/event-bus.ts";
import { connectNats } from "../../src/nats/connection.ts";
import { newInbox, requireInbox } from "../../src/nats/inbox.ts";
import { createRequester } from "../../src/nats/request.ts";
import { TestServer } from "../support/nats-server.ts";
import { NotedLog } from "../support/stand-in.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

/** Permissions of the coordinator's user and of an agent, each with its own inbox prefix. */
const RESTRICTED = `
jetstream: enabled
no_auth_user: admin
accounts { ONE { jetstream: enabled, users: [
  { user: admin, password: secret }
  { user: worker, password: secret, permissions: { subscribe: [
    "_INBOX_worker.>", "tasks.>", "sessions.>", "agent.>", "operator.>", "$SRV.>" ] } }
  { user: alice, password: secret, permissions: { subscribe: [
    "_INBOX_alice.>", "task-updates.>" ] } }
] } }`;

const WORKER = {
  "nats.username": "worker",
  "nats.password": "secret",
  "nats.inbox_prefix": "_INBOX_worker",
};

describe("a new inbox", () => {
  it("cannot be guessed from an earlier one", async () => {
    await using server = await TestServer.start();
    const connection = await server.connect();
    const [first, second] = [newInbox(connection), newInbox(connection)];
    assert.match(first, /^_INBOX\.[\w-]{16}$/);
    // The ids of the library begin in the same way for a whole process, and count on.
    assert.notEqual(first.slice(0, 15), second.slice(0, 15));
  });
});

describe("an inbox prefix", () => {
  it("is used by workers and by the library for everything that they receive", async () => {
    await using coordinator = await TestCoordinator.start({
      server: { config: RESTRICTED },
      settings: WORKER,
      workers: 2,
    });
    const refused: string[] = [];
    const { url: servers } = coordinator.server;
    const login = { servers, username: "alice", password: "secret", inboxPrefix: "_INBOX_alice" };
    const logger = new NotedLog();
    await using bus = new EventBus({ backend: "nats", config: login, logger });
    assert.equal(await bus.connect(), true, logger.of("error").join());
    const follow = async (): Promise<void> => {
      for await (const status of bus.link.connection.status()) {
        if (status.type === "error") refused.push(status.error.message);
      }
    };
    void follow();

    // Shared state uses the inbox of the writer, those of batches, and that of a consumer.
    assert.equal(await bus.put("deploy/current", { version: 1 }), true);
    assert.deepEqual(await bus.get("deploy/current"), { version: 1 });
    const changed = new Promise((resolve) => {
      void bus.watch("deploy/", resolve);
    });
    assert.deepEqual(((await changed) as { value: unknown }).value, { version: 1 });

    // Then requests with and without a signal, updates, and an answer whose delivery is checked.
    await using agent = new Coordinator(bus);
    const worker = agent.work({ session: "alice", renewInThread: true }, (task) => task.title);
    await agent.tasks.create("a", { title: "A" });
    await coordinator.until("tasks.get.a", ({ task }) => task.status === "complete");
    await worker.stop();
    assert.equal((await coordinator.ok("tasks.history.a")).entries.length, 3);
    assert.deepEqual(refused, []);
    assert.deepEqual(logger.of("error"), []);
  });

  it("is named by the error of a worker whose user may not receive replies without it", async () => {
    await assert.rejects(
      TestCoordinator.start({
        server: { config: RESTRICTED },
        settings: { "nats.username": "worker", "nats.password": "secret" },
      }),
      (error: Error) => {
        assert.ok(error instanceof StartupError);
        assert.match(
          error.message,
          /does not permit subscribing to _INBOX\.>, .* as nats\.inbox_prefix, .* config\.inboxPrefix/,
        );
        return true;
      },
    );
  });

  it("is named by the error of the library if the user may not receive replies without it", async () => {
    await using server = await TestServer.start({ config: RESTRICTED });
    const config = { servers: server.url, username: "alice", password: "secret" };
    const logger = new NotedLog();
    await using bus = new EventBus({ backend: "nats", config, logger });
    assert.equal(await bus.connect(), false);
    assert.match((await bus.health()).problem ?? "", /not permit subscribing to _INBOX\.>/);
  });

  it("is named by the error of a request if the server no longer permits its reply", async () => {
    await using server = await TestServer.start({ config: RESTRICTED });
    const login = { servers: [server.url], username: "alice", password: "secret" };
    const connection = await connectNats(login);
    try {
      await assert.rejects(requireInbox(connection), /set the prefix/);
      const requester = createRequester(connection);
      const { signal } = new AbortController();
      for (const asked of [
        requester.request("tasks.stats", "{}", 5_000),
        requester.request("tasks.stats", "{}", 5_000, signal),
      ]) {
        await assert.rejects(asked, {
          problem: "not_permitted",
          message: /does not permit subscribing to _INBOX\.>/,
        });
      }
    } finally {
      await connection.close();
    }
  });
});
