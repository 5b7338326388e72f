import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { describe, it } from "node:test";
import { withFaults } from "../support/faulty-stores.ts";
import { askNext, idsOf, next, parked, parkedOverAll } from "../support/next-requests.ts";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

const WORKERS = 3;
/** So many requests that each worker gets some. */
const MANY = 30;

describe("a parked request that is sent again with the same request_id", () => {
  const ask = { wait_seconds: 30, request_id: "r1" };

  it("ends with conflict, and only the later one gets a task", async () => {
    await using coordinator = await TestCoordinator.start();
    const earlier = askNext(coordinator, "s1", ask);
    await parked(coordinator, 1);
    const later = next(coordinator, "s1", ask);
    const { error } = await earlier;
    assert.deepEqual([error.code, error.retryable], ["conflict", true]);
    assert.match(error.message, /sent again/);
    await parked(coordinator, 1);
    await coordinator.ok("tasks.create.a");
    assert.deepEqual(idsOf(await later), ["a"]);
    const other = { session_id: "s2", wait_seconds: 30, request_id: "r1" };
    const ofAnother = coordinator.request("tasks.next", other, 60_000);
    await parked(coordinator, 1);
    await coordinator.ok("tasks.create.b");
    assert.deepEqual(idsOf(await ofAnother), ["b"], "the id belongs to its session");
  });

  it("ends on every worker, at the latest when one worker has claimed a task for it", async () => {
    await using coordinator = await TestCoordinator.start({ workers: WORKERS });
    const answers = Array.from({ length: MANY }, () => askNext(coordinator, "s1", ask));
    await parkedOverAll(coordinator, WORKERS, WORKERS);
    await coordinator.ok("tasks.create.a");
    const replies: Json[] = await Promise.all(answers);
    const given = replies.filter((reply) => reply.ok === true);
    assert.deepEqual(given.flatMap(idsOf), ["a"]);
    for (const { ok, error } of replies) if (ok !== true) assert.equal(error.code, "conflict");
    await parkedOverAll(coordinator, WORKERS, 0);
    await coordinator.ok("tasks.create.b");
    assert.deepEqual(idsOf(await next(coordinator, "s2", { wait_seconds: 30 })), ["b"]);
  });

  it("ends if another worker claims a task for it while this worker is about to", async () => {
    const taken = new EventEmitter();
    let isLate = false;
    await using coordinator = await TestCoordinator.start({
      wrapStores: withFaults({
        tasks: {
          watch: (real) => (watch) =>
            real.watch({
              restarted: () => {
                watch.restarted();
              },
              entry: (entry) => {
                watch.entry(entry);
                if ("task" in entry && entry.task.status === "claimed") taken.emit("heard");
              },
              current: () => {
                watch.current();
              },
            }),
          write: (real) => async (prepared, expected) => {
            if (prepared.task.status !== "claimed" || isLate) return real.write(prepared, expected);
            isLate = true;
            // The other worker is faster, and this worker sees that before its own write fails.
            const heard = once(taken, "heard");
            await real.write(prepared, expected);
            await heard;
            return real.write(prepared, expected);
          },
        },
      }),
    });
    const asked = askNext(coordinator, "s1", ask);
    await parked(coordinator, 1);
    await coordinator.ok("tasks.create.a");
    assert.equal((await asked).error.code, "conflict");
    await coordinator.ok("tasks.create.b");
    assert.equal((await coordinator.ok("tasks.get.b")).task.status, "available");
    assert.deepEqual(idsOf(await next(coordinator, "s1", ask)), ["a"]);
  });
});

describe("a claim made for a parked request whose answer was lost", () => {
  it("is repeated to its session once, however many workers are asked one after the other", async () => {
    await using coordinator = await TestCoordinator.start({ workers: WORKERS });
    await loseAnswer(coordinator);
    const repeated = await next(coordinator, "s1");
    assert.deepEqual(idsOf(repeated), ["lost"]);
    assert.deepEqual([repeated.claims[0].attempt, repeated.claims[0].already_held], [1, true]);
    for (let i = 0; i < MANY; i++) assert.deepEqual(idsOf(await next(coordinator, "s1")), []);
  });

  it("is repeated once if the session asks many times at the same time", async () => {
    await using coordinator = await TestCoordinator.start({ workers: WORKERS });
    await loseAnswer(coordinator);
    const asked = Array.from({ length: MANY }, () => next(coordinator, "s1"));
    assert.deepEqual((await Promise.all(asked)).flatMap(idsOf), ["lost"]);
  });

  it("is not repeated to another session", async () => {
    await using coordinator = await TestCoordinator.start({ workers: WORKERS });
    await loseAnswer(coordinator);
    for (let i = 0; i < MANY; i++) assert.deepEqual(idsOf(await next(coordinator, "s2")), []);
    assert.deepEqual(idsOf(await next(coordinator, "s1")), ["lost"]);
  });

  it("is not repeated after the session has renewed it", async () => {
    await using coordinator = await TestCoordinator.start({ workers: WORKERS });
    await loseAnswer(coordinator);
    await coordinator.ok("tasks.renew.lost", { session_id: "s1", attempt: 1 });
    for (let i = 0; i < MANY; i++) assert.deepEqual(idsOf(await next(coordinator, "s1")), []);
  });

  it("is not repeated after a heartbeat of the session, whose answer names it", async () => {
    await using coordinator = await TestCoordinator.start({ workers: WORKERS });
    await coordinator.ok("sessions.register.s1");
    await loseAnswer(coordinator);
    const named = { claims: [{ task_id: "lost", attempt: 1 }] };
    const { claims } = await coordinator.ok("sessions.heartbeat.s1", named);
    assert.equal(claims[0].task_id, "lost");
    for (let i = 0; i < MANY; i++) assert.deepEqual(idsOf(await next(coordinator, "s1")), []);
  });

  it("is not repeated when its attempt is over", async () => {
    await using coordinator = await TestCoordinator.start({ workers: WORKERS });
    await loseAnswer(coordinator);
    await coordinator.ok("tasks.release.lost", { session_id: "s1", status: "available" });
    await coordinator.ok("tasks.claim.lost", { session_id: "s1" });
    for (let i = 0; i < MANY; i++) assert.deepEqual(idsOf(await next(coordinator, "s1")), []);
  });
});

/** Session `s1` gets the task `lost` after it has stopped listening, while its connection stays. */
async function loseAnswer(coordinator: TestCoordinator): Promise<void> {
  const since = coordinator.facts.length;
  const body = JSON.stringify({ session_id: "s1", wait_seconds: 30 });
  const { connection } = coordinator;
  await assert.rejects(connection.request("tasks.next", body, { timeout: 100 }), /timeout/);
  await coordinator.ok("tasks.create.lost");
  await coordinator.fact("task_written", ({ event }) => event === "task_claimed", since);
}
