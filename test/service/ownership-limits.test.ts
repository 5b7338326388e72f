import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { jetstreamManager } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import { withFaults } from "../support/faulty-stores.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

const MIB = 1024 * 1024;

function limitOf(error: { code: string; limit: string; value: number; retryable: boolean }) {
  return [error.code, error.limit, error.value, error.retryable];
}

function reached(limit: string, value: number): unknown[] {
  return ["limit_reached", `limits.${limit}`, value, false];
}

describe("the number of tasks", () => {
  it("is limited for each agent, and not for operators", async () => {
    await using coordinator = await TestCoordinator.start({
      settings: { "limits.tasks_per_principal": 2 },
    });
    await coordinator.ok("agent.s1.tasks.create.a");
    await coordinator.ok("agent.s1.tasks.create.b");
    const refused = await coordinator.refused("agent.s1.tasks.create.c");
    assert.deepEqual(limitOf(refused), reached("tasks_per_principal", 2));
    assert.match(refused.message, /^agent\.s1 has created as many tasks as it may own: .*ask an/);
    await coordinator.ok("agent.s2.tasks.create.c");
    for (const id of ["d", "e", "f"]) await coordinator.ok(`operator.ann.tasks.create.${id}`);
  });

  it("is limited for each session without accounts, and not for requests that name none", async () => {
    await using coordinator = await TestCoordinator.start({
      settings: { "limits.tasks_per_principal": 1 },
    });
    await coordinator.ok("tasks.create.a", { session_id: "s1" });
    const refused = await coordinator.refused("tasks.create.b", { session_id: "s1" });
    assert.deepEqual(limitOf(refused), reached("tasks_per_principal", 1));
    await coordinator.ok("tasks.create.b", { session_id: "s2" });
    for (const id of ["c", "d"]) await coordinator.ok(`tasks.create.${id}`);
  });

  it("is limited for all together, operators included", async () => {
    await using coordinator = await TestCoordinator.start({ settings: { "limits.tasks": 2 } });
    await coordinator.ok("tasks.create.a");
    await coordinator.ok("agent.s1.tasks.create.b");
    const refused = await coordinator.refused("operator.ann.tasks.create.c");
    assert.deepEqual(limitOf(refused), reached("tasks", 2));
  });

  it("counts creates that are under way", async () => {
    let open: () => void = () => undefined;
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    await using coordinator = await TestCoordinator.start({
      settings: { "limits.tasks_per_principal": 2 },
      wrapStores: withFaults({
        tasks: {
          write:
            (real) =>
            async (...args) => {
              await opened;
              return real.write(...args);
            },
        },
      }),
    });
    let refused = 0;
    const create = async (id: string): Promise<string> => {
      const reply = await coordinator.request(`agent.s1.tasks.create.${id}`);
      // Those that are refused wait for no write.
      if (reply.ok !== true && ++refused === 2) open();
      return (reply.error?.code ?? "created") as string;
    };
    const outcomes = await Promise.all(["a", "b", "c", "d"].map(create));
    assert.deepEqual(outcomes.sort(), ["created", "created", "limit_reached", "limit_reached"]);
  });

  it("becomes free again when a task is removed", async () => {
    await using coordinator = await TestCoordinator.start({
      settings: { "limits.tasks_per_principal": 1 },
    });
    await coordinator.ok("agent.s1.tasks.create.a");
    assert.equal((await coordinator.refused("agent.s1.tasks.create.b")).code, "limit_reached");
    await (await new Kvm(coordinator.connection).open("tasks")).purge("a");
    // A list is as fresh as the bucket.
    await coordinator.ok("tasks.list");
    await coordinator.ok("agent.s1.tasks.create.b");
  });
});

describe("an import over the limits", () => {
  it("creates nothing", async () => {
    await using coordinator = await TestCoordinator.start({
      settings: { "limits.tasks_per_principal": 2 },
    });
    const session_id = "s1";
    await coordinator.ok("tasks.create.a", { session_id });
    const tasks = ["a", "b", "c"].map((task_id) => ({ task_id }));
    const refused = await coordinator.refused("tasks.import", { session_id, tasks });
    assert.deepEqual(limitOf(refused), reached("tasks_per_principal", 2));
    const { total } = await coordinator.ok("tasks.stats");
    assert.equal(total, 1);
    // What exists already does not count again.
    const reply = await coordinator.ok("tasks.import", { session_id, tasks: tasks.slice(0, 2) });
    assert.deepEqual([reply.created, reply.unchanged], [["b"], ["a"]]);
  });
});

describe("the bytes of tasks", () => {
  const payload = "x".repeat(10_000);

  it("are limited for each agent, in creates and in updates that make a record larger", async () => {
    await using coordinator = await TestCoordinator.start({
      settings: { "limits.bytes_per_principal": 25_000 },
    });
    await coordinator.ok("agent.s1.tasks.create.a", { payload });
    await coordinator.ok("agent.s1.tasks.create.b", { payload });
    const value = 25_000;
    for (const refused of [
      await coordinator.refused("agent.s1.tasks.create.c", { payload }),
      await coordinator.refused("agent.s1.tasks.update.a", { payload: payload + payload }),
    ]) {
      assert.deepEqual(limitOf(refused), reached("bytes_per_principal", value));
    }
    await coordinator.ok("agent.s1.tasks.update.a", { payload: "y".repeat(10_000) });
    await coordinator.ok("agent.s1.tasks.update.a", { payload: "small" });
    await coordinator.ok("agent.s1.tasks.create.c", { payload });
    // Operators may change the task of an agent in any way.
    await coordinator.ok("operator.ann.tasks.update.a", { payload: payload + payload });
  });

  it("are limited for all together, but never for the result of a claim", async () => {
    await using coordinator = await TestCoordinator.start({ settings: { "limits.bytes": MIB } });
    const created: string[] = [];
    for (;;) {
      const id = `t${created.length}`;
      const reply = await coordinator.request(`operator.ann.tasks.create.${id}`, {
        payload: "x".repeat(60_000),
      });
      if (reply.ok === true) {
        created.push(id);
        continue;
      }
      assert.deepEqual(limitOf(reply.error), reached("bytes", MIB));
      break;
    }
    assert.equal(created.length, Math.floor(MIB / 60_500));
    const session_id = "s1";
    await coordinator.ok("tasks.claim.t0", { session_id });
    const done = { session_id, status: "complete", result: "y".repeat(3_000) };
    await coordinator.ok("tasks.release.t0", done);
  });

  it("are known to a worker that starts on a full board", async () => {
    await using coordinator = await TestCoordinator.start({
      workers: 0,
      settings: { "limits.bytes_per_principal": 25_000 },
    });
    const first = await coordinator.addWorkers(1);
    for (const id of ["a", "b"]) await coordinator.ok(`agent.s1.tasks.create.${id}`, { payload });
    await first.stop();
    await coordinator.addWorkers(1);
    const refused = await coordinator.refused("agent.s1.tasks.create.c", { payload });
    assert.deepEqual(limitOf(refused), reached("bytes_per_principal", 25_000));
  });
});

describe("a bucket that is nearly full", () => {
  it("takes no new tasks and no updates, but claims and releases go on", async () => {
    await using coordinator = await TestCoordinator.start({
      settings: { "limits.bucket_bytes": MIB },
    });
    const jsm = await jetstreamManager(coordinator.connection);
    const session_id = "s1";
    await coordinator.ok("tasks.create.small");
    let created = 0;
    for (;;) {
      const reply = await coordinator.request(`tasks.create.t${created}`, {
        payload: "x".repeat(20_000),
      });
      if (reply.ok !== true) {
        assert.deepEqual(limitOf(reply.error), reached("bucket_bytes", MIB));
        break;
      }
      created++;
    }
    assert.ok(created > 30, `${created} tasks`);
    const large = { payload: "y".repeat(20_100) };
    assert.equal((await coordinator.refused("tasks.update.t0", large)).code, "limit_reached");
    for (let i = 0; i < 40; i++) {
      await coordinator.ok("tasks.claim.small", { session_id });
      await coordinator.ok("tasks.release.small", { session_id, status: "available" });
    }
    assert.ok((await jsm.streams.info("KV_tasks")).state.bytes < MIB);
  });
});
