/** Parked `next` requests of many senders: in turn, within limits, and gone with their connection. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { NatsConnection } from "@nats-io/transport-node";
import { askNext, idsOf, next, parked } from "../support/next-requests.ts";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

/** Sends a `next` that waits, and resolves with its reply. */
async function ask(
  connection: NatsConnection,
  session: string,
  more: object = {},
  subject = "tasks.next",
): Promise<Json> {
  const body = JSON.stringify({ session_id: session, wait_seconds: 60, ...more });
  return (await connection.request(subject, body, { timeout: 60_000 })).json();
}

function isRefused({ error }: Json, limit: string, value: number): void {
  assert.deepEqual(
    [error.code, error.retryable, error.limit, error.value],
    ["limit_reached", false, limit, value],
  );
  assert.match(error.message, new RegExp(`: .*\\(${limit} is ${value}\\)$`));
}

describe("parked requests of several senders", () => {
  it("get tasks in turn: one with many requests gets no more than one with a few", async () => {
    await using coordinator = await TestCoordinator.start();
    const [greedy, modest] = [
      await coordinator.server.connect(),
      await coordinator.server.connect(),
    ];
    let served = 0;
    for (let i = 0; i < 60; i++) {
      ask(greedy, `greedy-${i}`).then(
        ({ claims }) => {
          served += (claims as unknown[]).length;
        },
        () => undefined,
      );
    }
    await parked(coordinator, 60);
    const answers = Array.from({ length: 5 }, (_, i) => ask(modest, `modest-${i}`));
    await parked(coordinator, 65);
    const tasks = Array.from({ length: 10 }, (_, i) => ({ task_id: `t${i}`, title: "T" }));
    await coordinator.ok("tasks.import", { tasks });
    for (const { claims } of await Promise.all(answers)) assert.equal(claims.length, 1);
    await parked(coordinator, 55);
    assert.equal(served, 5);
    await Promise.all([greedy.close(), modest.close()]);
  });

  it("are in turn over principals, not over their connections", async () => {
    await using coordinator = await TestCoordinator.start();
    const connections = await Promise.all([1, 2, 3].map(() => coordinator.server.connect()));
    const greedy = connections.map((connection, i) =>
      ask(connection, `greedy.${i}`, {}, "agent.greedy.tasks.next"),
    );
    await parked(coordinator, 3);
    const modest = ask(coordinator.connection, "modest.1", {}, "agent.modest.tasks.next");
    await parked(coordinator, 4);
    await coordinator.ok("tasks.create.a");
    await coordinator.ok("tasks.create.b");
    assert.deepEqual(idsOf(await modest), ["b"]);
    await coordinator.ok("tasks.import", { tasks: ["c", "d"].map((id) => ({ task_id: id })) });
    await Promise.all(greedy);
    await Promise.all(connections.map((connection) => connection.close()));
  });
});

describe("the limits of parked requests", () => {
  const settings = {
    "limits.waiting": 6,
    "limits.waiting_per_principal": 4,
    "limits.waiting_per_session": 2,
    "limits.filters_per_principal": 2,
    "limits.filter_bytes": 256,
  };

  it("are those of a session, of a principal, and of its filters", async () => {
    await using coordinator = await TestCoordinator.start({ settings });
    const ofAlice = (session: string, more = {}): Promise<Json> =>
      ask(coordinator.connection, session, more, "agent.alice.tasks.next");
    const waiting = [ofAlice("alice.1"), ofAlice("alice.1")];
    await parked(coordinator, 2);
    isRefused(await ofAlice("alice.1"), "limits.waiting_per_session", 2);
    waiting.push(ofAlice("alice.2", { prefix: "x" }));
    await parked(coordinator, 3);
    const refusal = await ofAlice("alice.2", { prefix: "y" });
    isRefused(refusal, "limits.filters_per_principal", 2);
    waiting.push(ofAlice("alice.2", { prefix: "x" }));
    await parked(coordinator, 4);
    isRefused(await ofAlice("alice.3"), "limits.waiting_per_principal", 4);
    // Who does not wait is not refused, and nor are others.
    const atOnce = await ofAlice("alice.3", { wait_seconds: 0 });
    assert.deepEqual(atOnce.claims, []);
    waiting.push(ask(coordinator.connection, "bob.1", {}, "agent.bob.tasks.next"));
    await parked(coordinator, 5);
    await coordinator.ok("tasks.import", {
      tasks: ["x1", "x2", "x3", "x4", "x5"].map((id) => ({ task_id: id })),
    });
    for (const { claims } of await Promise.all(waiting)) assert.equal(claims.length, 1);
  });

  it("bound the bytes of a filter, also with what the session has registered", async () => {
    await using coordinator = await TestCoordinator.start({ settings });
    const tags = ["a", "b", "c"].map((letter) => letter.repeat(80));
    const wide = { tags, prefix: "1234567890123456" };
    assert.deepEqual((await next(coordinator, "s1", wide)).claims, []);
    for (const more of [
      { ...wide, prefix: "12345678901234567" },
      { ...wide, capabilities: ["é"] },
    ]) {
      isRefused(await askNext(coordinator, "s1", more), "limits.filter_bytes", 256);
    }
    await coordinator.ok("sessions.register.s1", { capabilities: ["k"] });
    isRefused(await askNext(coordinator, "s1", wide), "limits.filter_bytes", 256);
    await parked(coordinator, 0);
  });

  it("let one that has fewer take the place of one that has most when all are taken", async () => {
    await using coordinator = await TestCoordinator.start({ settings });
    const [a, b] = [await coordinator.server.connect(), await coordinator.server.connect()];
    const asked = [a, a, a, a, b, b].map((connection, i) => ask(connection, `s${i}`));
    await parked(coordinator, 6);
    const mine = next(coordinator, "modest", { wait_seconds: 30 });
    const displaced = await Promise.race(asked);
    assert.equal(displaced.error.code, "overloaded");
    const other = next(coordinator, "other", { wait_seconds: 30 });
    // Now each has two: nobody is displaced.
    const refused = [];
    for (let i = 0; i < 6; i++) refused.push(await Promise.race([ask(b, `b${i}`), mine]));
    for (const { error } of refused) assert.equal(error.code, "overloaded");
    await coordinator.ok("tasks.import", {
      tasks: Array.from({ length: 6 }, (_, i) => ({ task_id: `t${i}` })),
    });
    assert.deepEqual([(await mine).claims.length, (await other).claims.length], [1, 1]);
    await Promise.all([a.close(), b.close()]);
  });
});

describe("parked requests whose client has left", () => {
  it("end in the background, without a task and without another request", async () => {
    await using coordinator = await TestCoordinator.start();
    const [gone, alive] = [await coordinator.server.connect(), await coordinator.server.connect()];
    for (let i = 0; i < 500; i++) ask(gone, `gone-${i}`).catch(() => undefined);
    const waiting = ask(alive, "alive");
    await parked(coordinator, 501);
    await gone.close();
    await parked(coordinator, 1);
    await coordinator.ok("tasks.create.a");
    assert.deepEqual(idsOf(await waiting), ["a"]);
    await alive.close();
  });
});
