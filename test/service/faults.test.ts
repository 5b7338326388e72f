import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { CoordinatorError } from "../../src/protocol/errors.ts";
import type { WriteOutcome } from "../../src/service/ports.ts";
import { withFaults } from "../support/faulty-stores.ts";
import { HeldWatch } from "../support/held-watch.ts";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

describe("a worker whose index is stale", () => {
  it("makes no wrong refusal and no wrong claim", async () => {
    const watch = new HeldWatch();
    await using coordinator = await TestCoordinator.start({ wrapStores: watch.wrapStores });
    for (const id of ["freed", "taken", "done", "unblocked"]) {
      await coordinator.ok(
        `tasks.create.${id}`,
        id === "unblocked" ? { depends_on: ["done"] } : {},
      );
    }
    await coordinator.ok("tasks.claim.freed", { session_id: "other" });
    await coordinator.ok("tasks.stats");
    watch.hold();
    // Another worker would have written this meanwhile.
    await overwrite(coordinator.connection, "freed", { status: "available", claimed_by: null });
    await overwrite(coordinator.connection, "taken", {
      status: "claimed",
      claimed_by: "other",
      attempt: 1,
    });
    await overwrite(coordinator.connection, "done", { status: "complete" });
    await overwrite(coordinator.connection, "unblocked", { status: "available" });

    const freed = await coordinator.ok("tasks.claim.freed", { session_id: "s1" });
    assert.deepEqual([freed.attempt, freed.already_held], [2, false]);
    const taken = await coordinator.refused("tasks.claim.taken", { session_id: "s1" });
    assert.deepEqual([taken.code, taken.claimed_by], ["already_claimed", "other"]);
    const done = await coordinator.refused("tasks.claim.done", { session_id: "s1" });
    assert.deepEqual([done.code, done.reason], ["not_available", "complete"]);
    const unblocked = await coordinator.ok("tasks.claim.unblocked", { session_id: "s1" });
    assert.equal(unblocked.attempt, 1);
    assert.equal((await coordinator.ok("tasks.get.done")).task.status, "complete");
  });
});

describe("a write whose acknowledgement is lost", () => {
  it("is found by reading the record, if it reached the store", async () => {
    await using coordinator = await TestCoordinator.start({
      wrapStores: withFaults({
        tasks: {
          write:
            (real) =>
            async (prepared, expected, writeId): Promise<WriteOutcome> => {
              await real.write(prepared, expected, writeId);
              return { kind: "unknown" };
            },
        },
      }),
    });
    assert.equal((await coordinator.ok("tasks.create.a")).task.status, "available");
    const claim = await coordinator.ok("tasks.claim.a", { session_id: "s1" });
    assert.deepEqual([claim.attempt, claim.already_held], [1, false]);
    const release = { session_id: "s1", status: "complete" };
    assert.equal((await coordinator.ok("tasks.release.a", release)).task.status, "complete");
    const { entries } = await coordinator.ok("tasks.history.a");
    assert.equal(entries.length, 3);
  });

  it("is repeated, if it did not reach the store", async () => {
    let losses = 0;
    await using coordinator = await TestCoordinator.start({
      wrapStores: withFaults({
        tasks: {
          write:
            (real) =>
            (prepared, expected, writeId): Promise<WriteOutcome> =>
              losses++ % 2 === 0
                ? Promise.resolve({ kind: "unknown" })
                : real.write(prepared, expected, writeId),
        },
      }),
    });
    await coordinator.ok("tasks.create.a");
    assert.equal((await coordinator.ok("tasks.claim.a", { session_id: "s1" })).attempt, 1);
  });
});

describe("a store that does not serve", () => {
  it("makes requests fail as retryable, until it serves again", async () => {
    let isBroken = false;
    const unavailable = (): Promise<never> =>
      Promise.reject(new CoordinatorError("unavailable", "the NATS server did not answer"));
    await using coordinator = await TestCoordinator.start({
      wrapStores: withFaults({
        tasks: {
          write: (real) => (prepared, expected) =>
            isBroken ? unavailable() : real.write(prepared, expected),
          load: (real) => (id) => (isBroken ? unavailable() : real.load(id)),
          lastRevision: (real) => () => (isBroken ? unavailable() : real.lastRevision()),
        },
      }),
    });
    await coordinator.ok("tasks.create.a");
    isBroken = true;
    const body = { session_id: "s1" };
    for (const subject of ["tasks.claim.a", "tasks.next", "tasks.renew.a", "tasks.verify.a"]) {
      const error = await coordinator.refused(subject, body);
      assert.deepEqual([subject, error.code, error.retryable], [subject, "unavailable", true]);
    }
    for (const subject of ["tasks.list", "tasks.stats", "tasks.get.a"]) {
      assert.equal((await coordinator.refused(subject)).code, "unavailable");
    }
    isBroken = false;
    assert.equal((await coordinator.ok("tasks.claim.a", body)).attempt, 1);
  });

  it("answers with a retryable conflict if others are always faster", async () => {
    await using coordinator = await TestCoordinator.start({
      wrapStores: withFaults({
        tasks: {
          write: (real) => (prepared, expected) =>
            prepared.task.status === "claimed"
              ? Promise.resolve({ kind: "conflict" })
              : real.write(prepared, expected),
        },
      }),
    });
    await coordinator.ok("tasks.create.a");
    const error = await coordinator.refused("tasks.claim.a", { session_id: "s1" });
    assert.deepEqual([error.code, error.retryable], ["conflict", true]);
  });

  it("answers a defect with an internal error that tells nothing about the code", async () => {
    await using coordinator = await TestCoordinator.start({
      wrapStores: withFaults({
        tasks: { load: () => () => Promise.reject(new TypeError("secret detail")) },
      }),
    });
    const error = await coordinator.refused("tasks.get.a");
    assert.equal(error.code, "internal");
    assert.doesNotMatch(error.message, /secret/);
    assert.ok((await coordinator.ok("tasks.stats")).ok, "the worker answers the next request");
  });
});

describe("a server that is killed and restarted in the middle of claims", () => {
  it("loses no acknowledged claim and never makes two holders of one attempt", async () => {
    await using coordinator = await TestCoordinator.start({
      workers: 3,
      settings: { history: 64 },
    });
    const ids = Array.from({ length: 150 }, (_, i) => `t${i}`);
    await coordinator.ok("tasks.import", { tasks: ids.map((task_id) => ({ task_id })) });

    const acknowledged = new Map<string, { session: string; attempt: number }>();
    const kills: Promise<void>[] = [];
    const killAndRestart = async (): Promise<void> => {
      await coordinator.server.kill();
      await coordinator.server.restart();
    };
    const session = async (name: string): Promise<void> => {
      for (const id of ids) {
        const reply = await untilAnswered(coordinator, `tasks.claim.${id}`, { session_id: name });
        if (!reply.ok) continue;
        assert.equal(acknowledged.has(id), false, `${id} has two winners`);
        acknowledged.set(id, { session: name, attempt: reply.attempt });
        if (acknowledged.size === 50) kills.push(killAndRestart());
      }
    };
    await Promise.all(["s1", "s2", "s3", "s4"].map(session));
    await Promise.all(kills);
    assert.equal(kills.length, 1);

    assert.equal(acknowledged.size, ids.length);
    for (const [id, { session: name, attempt }] of acknowledged) {
      const { task } = await untilAnswered(coordinator, `tasks.get.${id}`, {});
      assert.deepEqual([task.claimed_by, task.attempt], [name, attempt]);
      const { entries } = await untilAnswered(coordinator, `tasks.history.${id}`, {});
      const claims = entries.filter((entry: Json) => entry.task.last_event.type === "task_claimed");
      assert.equal(claims.length, 1);
    }
  });
});

/** Repeats the request until the answer is not retryable, as every client must. */
async function untilAnswered(
  coordinator: TestCoordinator,
  subject: string,
  body: object,
): Promise<Json> {
  for (;;) {
    try {
      const reply = await coordinator.request(subject, body, 2_000);
      if (reply.ok || !reply.error.retryable) return reply;
    } catch {
      // No answer: the server is down, and the request may have been lost with it.
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function overwrite(
  connection: NatsConnection,
  taskId: string,
  fields: object,
): Promise<void> {
  const kv = await new Kvm(connection).open("tasks");
  const entry = await kv.get(taskId);
  await kv.put(taskId, JSON.stringify({ ...entry?.json<object>(), ...fields }));
}
