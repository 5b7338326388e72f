/** Earlier records make room in a bucket that is nearly full. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { jetstreamManager } from "@nats-io/jetstream";
import { withFaults } from "../support/faulty-stores.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

const MIB = 1024 * 1024;
const payload = "x".repeat(20_000);

describe("the earlier records of tasks", () => {
  it("give way before the bucket is full, so that nobody fills it with claims and releases", async () => {
    await using coordinator = await TestCoordinator.start({
      settings: { "limits.bucket_bytes": MIB },
    });
    const jsm = await jetstreamManager(coordinator.connection);
    const bytes = async (): Promise<number> => (await jsm.streams.info("KV_tasks")).state.bytes;
    const session_id = "s1";
    const ids = Array.from({ length: 10 }, (_, i) => `t${i}`);
    for (const id of ids) await coordinator.ok(`agent.s1.tasks.create.${id}`, { payload });
    for (let i = 0; i < 12; i++) {
      for (const id of ids) {
        await coordinator.ok(`agent.s1.tasks.claim.${id}`, { session_id });
        const released = { session_id, status: "available" };
        await coordinator.ok(`agent.s1.tasks.release.${id}`, released);
      }
    }
    // With 16 records of each task, they would take 3 MiB.
    assert.ok((await bytes()) < 0.9 * MIB, `${await bytes()} bytes`);
    await coordinator.ok("agent.s2.tasks.create.other", { payload });
    for (const id of ids) {
      const { task } = await coordinator.ok(`agent.s1.tasks.get.${id}`);
      assert.deepEqual([task.attempt, task.payload], [12, payload]);
    }
  });

  it("of the creator whose tasks take most make room in the background", async () => {
    const dropped = new Set<string>();
    let seen: () => void = () => undefined;
    const droppedFirst = new Promise<void>((resolve) => {
      seen = resolve;
    });
    await using coordinator = await TestCoordinator.start({
      settings: { "limits.bucket_bytes": MIB },
      wrapStores: withFaults({
        tasks: {
          dropHistory: (real) => async (taskId, revision) => {
            await real.dropHistory(taskId, revision);
            dropped.add(taskId);
            if (taskId === "large.0") seen();
          },
        },
      }),
    });
    const change = (agent: string, id: string, text: string) =>
      coordinator.ok(`agent.${agent}.tasks.update.${id}`, { payload: text });
    await coordinator.ok("agent.s2.tasks.create.small", { payload: "x" });
    await change("s2", "small", "y");
    for (let i = 0; i < 20; i++) {
      await coordinator.ok(`agent.s1.tasks.create.large.${i}`, { payload });
    }
    // The last writes are in a bucket that is nearly full. Those before them have left their earlier records.
    for (let i = 0; i < 20; i++) await change("s1", `large.${i}`, `${payload}${i}`);
    await coordinator.ok("tasks.claim.large.19", { session_id: "s1" });
    await coordinator.ok("tasks.renew.large.19", { session_id: "s1" });
    await coordinator.ok("tasks.release.large.19", { session_id: "s1", status: "available" });
    await droppedFirst;
    assert.ok(!dropped.has("small"));
  });

  it("stay while there is room", async () => {
    await using coordinator = await TestCoordinator.start({
      settings: { "limits.bucket_bytes": MIB },
    });
    await coordinator.ok("tasks.create.a", { payload });
    for (let i = 0; i < 5; i++) await coordinator.ok("tasks.update.a", { title: `${i}` });
    const { entries } = await coordinator.ok("tasks.history.a");
    assert.equal(entries.length, 6);
  });
});

describe("the results and errors of an agent", () => {
  const LIMIT = 50_000;
  const result = "y".repeat(20_000);

  it("have a limit, also in tasks of others, below which a claim can always be ended", async () => {
    await using coordinator = await TestCoordinator.start({
      settings: { "limits.bytes_per_principal": LIMIT },
    });
    const s1 = { session_id: "s1.a" };
    const complete = { ...s1, status: "complete" };
    for (const id of ["a", "b", "c", "d"]) {
      await coordinator.ok(`operator.ann.tasks.create.${id}`, { max_failures: 9 });
      await coordinator.ok(`agent.s1.tasks.claim.${id}`, s1);
    }
    await coordinator.ok("agent.s1.tasks.release.a", { ...complete, result });
    const failed = { ...s1, status: "failed", error: result };
    await coordinator.ok("agent.s1.tasks.release.b", failed);
    for (const body of [
      { ...complete, result },
      { ...failed, retry: false },
    ]) {
      const refused = await coordinator.refused("agent.s1.tasks.release.c", body);
      assert.deepEqual(
        [refused.code, refused.limit, refused.value],
        ["limit_reached", "limits.bytes_per_principal", LIMIT],
      );
      assert.match(refused.message, /^the results and errors of s1 are as large as they may be/);
    }
    await coordinator.ok("agent.s1.tasks.release.c", { ...complete, result: "z".repeat(500) });
    // Others have their own limit, and operators none.
    await coordinator.ok("agent.s1.tasks.release.d", { ...s1, status: "available" });
    await coordinator.ok("agent.s2.tasks.claim.d", { session_id: "s2" });
    await coordinator.ok("agent.s2.tasks.release.d", {
      ...complete,
      session_id: "s2",
      result,
    });
    // What is no longer in a record does not count.
    await coordinator.ok("operator.ann.tasks.requeue.a");
    await coordinator.ok("agent.s1.tasks.claim.a", s1);
    await coordinator.ok("agent.s1.tasks.release.a", { ...complete, result });
  });
});
