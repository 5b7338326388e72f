/** Identities that the NATS server guarantees: each agent is in its own account. */
import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { describe, it } from "node:test";
import type { NatsConnection } from "@nats-io/transport-node";
import { type App, startApp } from "../src/app.ts";
import { loadConfig, type OverrideValues } from "../src/config.ts";
import type { Fact } from "../src/service/ports.ts";
import { TestServer } from "./support/nats-server.ts";
import type { Json } from "./support/test-coordinator.ts";

/** Two agents in their own accounts, and the account of workers and operators. */
const SECURED = `
jetstream: enabled
accounts {
  COORDINATOR {
    jetstream: enabled
    users: [{ user: coordinator, password: "c" }]
    exports: [
      { service: "agent.*.tasks.>", response_type: singleton }
      { service: "agent.*.sessions.>", response_type: singleton }
      { stream: "task-updates.>" }
    ]
  }
  ALICE {
    users: [{ user: alice, password: "a" }]
    imports: [
      { service: { account: COORDINATOR, subject: "agent.alice.tasks.>" }, to: "tasks.>" }
      { service: { account: COORDINATOR, subject: "agent.alice.sessions.>" }, to: "sessions.>" }
      { stream: { account: COORDINATOR, subject: "task-updates.>" } }
    ]
  }
  BOB {
    users: [{ user: bob, password: "b" }]
    imports: [
      { service: { account: COORDINATOR, subject: "agent.bob.tasks.>" }, to: "tasks.>" }
      { service: { account: COORDINATOR, subject: "agent.bob.sessions.>" }, to: "sessions.>" }
      { stream: { account: COORDINATOR, subject: "task-updates.>" } }
    ]
  }
}`;

/** A coordinator on a server with accounts. */
class Secured implements AsyncDisposable {
  readonly operator: NatsConnection;
  readonly alice: NatsConnection;
  readonly bob: NatsConnection;
  readonly signals: EventEmitter;
  readonly #server: TestServer;
  readonly #app: App;

  private constructor(
    server: TestServer,
    app: App,
    signals: EventEmitter,
    [operator, alice, bob]: [NatsConnection, NatsConnection, NatsConnection],
  ) {
    this.#server = server;
    this.#app = app;
    this.signals = signals;
    this.operator = operator;
    this.alice = alice;
    this.bob = bob;
  }

  static async start(): Promise<Secured> {
    const server = await TestServer.start({ config: SECURED });
    const signals = new EventEmitter();
    const app = await startApp(configFor(server), {
      log: false,
      observe: (fact: Fact) => signals.emit(fact.kind, fact),
    });
    const [operator, alice, bob] = await Promise.all([
      server.connect({ user: "coordinator", pass: "c" }),
      server.connect({ user: "alice", pass: "a" }),
      server.connect({ user: "bob", pass: "b" }),
    ]);
    return new Secured(server, app, signals, [operator, alice, bob]);
  }

  connectAlice(): Promise<NatsConnection> {
    return this.#server.connect({ user: "alice", pass: "a" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#app.stop();
    await this.#server[Symbol.asyncDispose]();
  }
}

function configFor(server: TestServer): ReturnType<typeof loadConfig> {
  const overrides: OverrideValues = {
    "metrics.enabled": false,
    "nats.servers": [server.url],
    "nats.username": "coordinator",
    "nats.password": "c",
  };
  return loadConfig({ env: {}, overrides });
}

async function ask(connection: NatsConnection, subject: string, body: object = {}): Promise<Json> {
  const reply = await connection.request(subject, JSON.stringify(body), { timeout: 10_000 });
  return reply.json<Json>();
}

describe("on a server with accounts", () => {
  it("an agent uses the plain subjects, with its own sessions only", async () => {
    await using secured = await Secured.start();
    const { alice, bob, operator } = secured;
    assert.equal((await ask(operator, "tasks.create.a")).ok, true);
    for (const session_id of ["alice", "alice.1"]) {
      assert.equal((await ask(alice, `sessions.register.${session_id}`)).ok, true);
      assert.equal((await ask(alice, "tasks.claim.a", { session_id })).ok, true);
      const release = { session_id, status: "available" };
      assert.equal((await ask(alice, "tasks.release.a", release)).ok, true);
    }
    const { error } = await ask(alice, "tasks.claim.a", { session_id: "bob" });
    assert.deepEqual([error.code, error.field], ["forbidden", "session_id"]);
    assert.equal((await ask(bob, "tasks.claim.a", { session_id: "bob" })).ok, true);
    assert.equal((await ask(alice, "tasks.requeue.a")).error.code, "forbidden");
    assert.equal((await ask(alice, "sessions.unregister.bob")).error.code, "forbidden");
    assert.equal((await ask(operator, "tasks.requeue.a")).task.status, "available");
  });

  it("an agent cannot use the subject of another agent", async () => {
    await using secured = await Secured.start();
    const { alice, operator } = secured;
    await ask(operator, "tasks.create.a");
    const claim = { session_id: "bob" };
    for (const subject of ["agent.bob.tasks.claim.a", "agent.bob.sessions.register.bob"]) {
      await assert.rejects(ask(alice, subject, claim), /no responders/);
    }
    const { error } = await ask(alice, "$JS.API.STREAM.INFO.KV_tasks");
    assert.match(error.description, /JetStream not enabled for account/i);
    await assert.rejects(ask(alice, "$KV.tasks.a", {}), /no responders/);
    assert.equal((await ask(operator, "tasks.get.a")).task.status, "available");
  });

  it("an agent sees every update", async () => {
    await using secured = await Secured.start();
    const { alice, operator } = secured;
    const updates = alice.subscribe("task-updates.>", { max: 2 });
    await alice.flush();
    await ask(operator, "tasks.create.a");
    await ask(operator, "tasks.claim.a", { session_id: "bob" });
    const seen: string[] = [];
    for await (const message of updates) {
      seen.push(`${message.subject} ${message.json<Json>().last_event.type}`);
    }
    assert.deepEqual(seen, ["task-updates.a task_created", "task-updates.a task_claimed"]);
  });

  it("updates that an agent publishes reach nobody in other accounts", async () => {
    await using secured = await Secured.start();
    const { alice, bob, operator } = secured;
    const seen: string[] = [];
    for (const connection of [bob, operator]) {
      connection.subscribe("task-updates.>", {
        callback: (_, { subject }) => {
          seen.push(subject);
        },
      });
      await connection.flush();
    }
    alice.publish("task-updates.forged", "{}");
    await alice.flush();
    await ask(operator, "tasks.create.real");
    for (const connection of [bob, operator]) await connection.flush();
    assert.deepEqual(seen, ["task-updates.real", "task-updates.real"]);
  });

  it("an agent with a parked request receives the next task at once", async () => {
    await using secured = await Secured.start();
    const { alice, operator } = secured;
    const waiting = ask(alice, "tasks.next", { session_id: "alice", wait_seconds: 10 });
    await until(async () => (await ask(operator, "tasks.stats")).worker.waiting === 1);
    await ask(operator, "tasks.create.a");
    const { claims } = await waiting;
    assert.equal(claims[0].task.claimed_by, "alice");
    const { holds } = await ask(alice, "tasks.verify.a", { session_id: "alice", attempt: 1 });
    assert.equal(holds, true);
  });

  it("a task for an agent that has gone is returned", async () => {
    await using secured = await Secured.start();
    const { operator, bob } = secured;
    const leaver = await secured.connectAlice();
    const left = ask(leaver, "tasks.next", { session_id: "alice", wait_seconds: 10 });
    left.catch(() => undefined);
    await until(async () => (await ask(operator, "tasks.stats")).worker.waiting === 1);
    await leaver.close();
    const undelivered = once(secured.signals, "answer_undelivered", {
      signal: AbortSignal.timeout(10_000),
    });
    await ask(operator, "tasks.create.a");
    await undelivered;
    const next = { session_id: "bob", wait_seconds: 10 };
    const { claims } = await ask(bob, "tasks.next", next);
    assert.deepEqual([claims[0].task.claimed_by, claims[0].task.failures], ["bob", 0]);
  });
});

async function until(fits: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await fits())) assert.ok(Date.now() < deadline, "not in time");
}
