import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { describe, it } from "node:test";
import { OPERATION_NAMES, OPERATIONS } from "../src/protocol/operations.ts";
import { withFaults } from "./support/faulty-stores.ts";
import { type Json, TestCoordinator } from "./support/test-coordinator.ts";

describe("on the plain root", () => {
  it("the session that the body names is believed", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    await coordinator.ok("tasks.claim.a", { session_id: "anybody" });
    const held = await coordinator.ok("tasks.verify.a", { session_id: "anybody" });
    assert.equal(held.holds, true);
    await coordinator.ok("tasks.requeue.a", { session_id: "operator" });
    await coordinator.ok("tasks.cancel.a");
  });
});

describe("on the root with a principal", () => {
  it("every operation is served for the sessions of the principal", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("agent.alice.tasks.create.a", { session_id: "alice" });
    for (const session_id of ["alice", "alice.1", "alice.laptop.2"]) {
      await coordinator.ok(`agent.alice.sessions.register.${session_id}`);
      await coordinator.ok(`agent.alice.sessions.heartbeat.${session_id}`);
      const { attempt } = await coordinator.ok("agent.alice.tasks.claim.a", { session_id });
      await coordinator.ok("agent.alice.tasks.renew.a", { session_id, attempt });
      await coordinator.ok("agent.alice.tasks.verify.a", { session_id, attempt });
      const status = "available";
      await coordinator.ok("agent.alice.tasks.release.a", { session_id, attempt, status });
      await coordinator.ok(`agent.alice.sessions.unregister.${session_id}`);
    }
    const { claims } = await coordinator.ok("agent.alice.tasks.next", { session_id: "alice.1" });
    assert.equal(claims[0].task.claimed_by, "alice.1");
    for (const operation of ["list", "stats", "changes", "get.a", "history.a"]) {
      await coordinator.ok(`agent.alice.tasks.${operation}`);
    }
    await coordinator.ok("agent.alice.sessions.list");
  });

  it("the sessions of other principals are refused, with the rule, and nothing changes", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    await coordinator.ok("tasks.create.free");
    const { attempt } = await coordinator.ok("tasks.claim.a", { session_id: "bob" });
    const before = await coordinator.ok("tasks.changes");
    for (const other of ["bob", "bob.1", "alicex", "Alice", "x.alice", "alice-1", "alice/1"]) {
      const holder = { session_id: other, attempt };
      for (const [operation, body] of [
        ["tasks.claim.free", { session_id: other }],
        ["tasks.next", { session_id: other, wait_seconds: 60 }],
        ["tasks.renew.a", holder],
        ["tasks.release.a", { ...holder, status: "complete" }],
        ["tasks.verify.a", holder],
        ["tasks.cancel.a", { session_id: other }],
        ["tasks.update.a", { session_id: other, title: "x" }],
        ["tasks.create.b", { session_id: other }],
        [`sessions.register.${other}`, {}],
        [`sessions.heartbeat.${other}`, {}],
        [`sessions.unregister.${other}`, {}],
      ] as const) {
        const error = await coordinator.refused(`agent.alice.${operation}`, body);
        assert.equal(error.code, "forbidden", operation);
        assert.equal(error.field, "session_id");
        assert.equal(
          error.message,
          `session_id: ${other} does not belong to alice: use alice or alice.<name>`,
        );
      }
    }
    assert.deepEqual(await coordinator.ok("tasks.changes"), before);
    assert.deepEqual((await coordinator.ok("sessions.list")).sessions, []);
  });

  it("operations for operators are refused", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    await coordinator.ok("tasks.claim.a", { session_id: "alice" });
    const operatorsOnly = OPERATION_NAMES.filter((name) => "operatorsOnly" in OPERATIONS[name]);
    assert.deepEqual(operatorsOnly, ["tasks.import", "tasks.requeue"]);
    for (const [operation, body] of [
      ["tasks.requeue.a", { session_id: "alice" }],
      ["tasks.import", { tasks: [{ task_id: "b" }] }],
    ] as const) {
      const error = await coordinator.refused(`agent.alice.${operation}`, body);
      assert.equal(error.code, "forbidden");
      assert.match(error.message, /is for operators only: ask one/);
    }
    assert.equal((await coordinator.ok("tasks.get.a")).task.status, "claimed");
    assert.equal((await coordinator.refused("tasks.get.b")).code, "not_found");
  });

  it("an agent can cancel only tasks that it holds", async () => {
    await using coordinator = await TestCoordinator.start();
    for (const [id, holder] of [
      ["mine", "alice.1"],
      ["theirs", "bob"],
      ["free", null],
    ] as const) {
      await coordinator.ok(`tasks.create.${id}`);
      if (holder !== null) await coordinator.ok(`tasks.claim.${id}`, { session_id: holder });
    }
    for (const id of ["theirs", "free"]) {
      for (const body of [{}, { session_id: "alice.1" }, { session_id: "alice", force: true }]) {
        const error = await coordinator.refused(`agent.alice.tasks.cancel.${id}`, body);
        assert.equal(error.code, "forbidden");
        assert.match(
          error.message,
          /only the holder of \w+, its creator \(unknown\) and operators cancel it/,
        );
      }
    }
    // Another session of the agent does not hold the task.
    const other = { session_id: "alice.2" };
    assert.equal(
      (await coordinator.refused("agent.alice.tasks.cancel.mine", other)).code,
      "forbidden",
    );
    const force = { session_id: "alice.1", force: true };
    const { task } = await coordinator.ok("agent.alice.tasks.cancel.mine", force);
    assert.equal(task.status, "cancelled");
  });
});

describe("on the root with an operator", () => {
  it("everything is allowed, for all sessions", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("operator.ann.tasks.import", { tasks: [{ task_id: "a" }] });
    await coordinator.ok("operator.ann.sessions.register.s1");
    await coordinator.ok("agent.s1.tasks.claim.a", { session_id: "s1" });
    await coordinator.ok("operator.ann.tasks.cancel.a", { force: true });
    await coordinator.ok("operator.ann.tasks.requeue.a");
    await coordinator.ok("operator.ann.tasks.claim.a", { session_id: "s1" });
    await coordinator.ok("operator.ann.sessions.unregister.s1");
    for (const operation of ["tasks.list", "tasks.stats", "tasks.history.a", "sessions.list"]) {
      await coordinator.ok(`operator.ann.${operation}`);
    }
  });

  it("a misspelt request is answered with what was meant", async () => {
    await using coordinator = await TestCoordinator.start();
    const { message } = await coordinator.refused("operator.ann.tasks.requeu.a");
    assert.match(message, /did you mean tasks.requeue/);
    assert.equal((await coordinator.refused("operator.ann.tasks.get")).code, "invalid_request");
  });
});

describe("with auth.mode accounts", () => {
  it("nobody is served on the plain subjects, for any operation", async () => {
    await using coordinator = await TestCoordinator.start({
      settings: { "auth.mode": "accounts" },
    });
    await coordinator.ok("operator.ann.tasks.create.a");
    for (const [operation, body] of [
      ["tasks.stats", {}],
      ["tasks.get.a", {}],
      ["tasks.claim.a", { session_id: "s1" }],
      ["tasks.cancel.a", {}],
      ["tasks.import", { tasks: [{ task_id: "b" }] }],
      ["sessions.register.s1", {}],
    ] as const) {
      const error = await coordinator.refused(operation, body);
      assert.equal(error.code, "forbidden", operation);
      assert.match(error.message, /is for agents and operators with an account of their own/);
    }
    await coordinator.ok("agent.s1.tasks.claim.a", { session_id: "s1" });
  });
});

describe("the limits on requests", () => {
  it("apply to each principal separately, and not to operators", async () => {
    // Time stands still, so a used limit does not refill.
    let time = 0;
    await using coordinator = await TestCoordinator.start({
      settings: { "limits.requests_per_second": 5 },
      clock: { steady: () => time },
    });
    for (let i = 0; i < 5; i++) await coordinator.ok("agent.alice.tasks.stats");
    for (let i = 0; i < 3; i++) {
      const error = await coordinator.refused("agent.alice.tasks.stats");
      assert.deepEqual([error.code, error.retryable], ["overloaded", true]);
      assert.equal(
        error.message,
        "agent.alice sends more than 5 requests a second (limits.requests_per_second): slow down",
      );
    }
    // Refused requests count too, for any reason.
    assert.equal((await coordinator.refused("agent.alice.tasks.claim.*")).code, "overloaded");
    await coordinator.ok("agent.bob.tasks.stats");
    for (let i = 0; i < 20; i++) await coordinator.ok("operator.ann.tasks.stats");
    time += 400;
    for (let i = 0; i < 2; i++) await coordinator.ok("agent.alice.tasks.stats");
    assert.equal((await coordinator.refused("agent.alice.tasks.stats")).code, "overloaded");
  });

  it("include a limit on requests in flight, in which parked requests do not count", async () => {
    const gate = { open: (): void => undefined };
    const opened = new Promise<void>((resolve) => (gate.open = resolve));
    const signals = new EventEmitter();
    await using coordinator = await TestCoordinator.start({
      settings: { "limits.in_flight": 2 },
      wrapStores: withFaults({
        tasks: {
          load: (real) => async (taskId) => {
            if (taskId === "slow") {
              signals.emit("loading");
              await opened;
            }
            return real.load(taskId);
          },
        },
      }),
    });
    await coordinator.ok("tasks.create.slow");
    const waiting = coordinator.request("tasks.next", {
      session_id: "s1",
      prefix: "later",
      wait_seconds: 10,
    });
    const slow: Promise<Json>[] = [];
    for (let i = 0; i < 2; i++) {
      const loading = once(signals, "loading");
      slow.push(coordinator.request("tasks.get.slow"));
      await loading;
    }
    const error = await coordinator.refused("tasks.get.other");
    assert.deepEqual([error.code, error.retryable], ["overloaded", true]);
    assert.equal(error.message, "this worker is busy: ask again in a moment");
    gate.open();
    for (const reply of await Promise.all(slow)) assert.equal(reply.ok, true);
    await coordinator.ok("tasks.create.later");
    assert.equal((await waiting).claims[0].task.task_id, "later");
  });
});
