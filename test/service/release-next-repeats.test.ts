/** A release with next that is sent again: nothing is released or claimed twice. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Kvm } from "@nats-io/kv";
import { idsOf, parked } from "../support/next-requests.ts";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

/** So many repetitions that each worker gets some. */
const MANY = 20;
const WORKERS = 2;

const COMPLETE = { session_id: "s1", attempt: 1, status: "complete", next: {} };

async function begin(coordinator: TestCoordinator, ...ids: string[]): Promise<void> {
  for (const id of ids) await coordinator.ok(`tasks.create.${id}`);
  await coordinator.ok(`tasks.claim.${ids[0] ?? ""}`, { session_id: "s1" });
}

function release(coordinator: TestCoordinator, id: string, body: object = {}): Promise<Json> {
  return coordinator.request(`tasks.release.${id}`, { ...COMPLETE, ...body }, 60_000);
}

describe("a release with next that is repeated", () => {
  it("gives the same claims, by any worker", async () => {
    await using coordinator = await TestCoordinator.start({ workers: WORKERS });
    await begin(coordinator, "a", "b", "c", "d");
    const first = await release(coordinator, "a", { next: { max: 2 } });
    assert.deepEqual(idsOf(first.next), ["b", "c"]);
    // A client repeats its request later than that.
    await heardByAll(coordinator, "c");
    for (let i = 0; i < MANY; i++) {
      const again = await release(coordinator, "a", { next: { max: 2 } });
      assert.deepEqual([again.ok, again.task.status], [true, "complete"]);
      assert.deepEqual(idsOf(again.next).sort(), ["b", "c"]);
      assert.ok(again.next.claims.every((claim: Json) => claim.already_held === true));
    }
    assert.equal((await coordinator.ok("tasks.get.d")).task.attempt, 0);
  });

  it("claims the next one after the earlier claims have ended", async () => {
    await using coordinator = await TestCoordinator.start();
    await begin(coordinator, "a", "b", "c");
    await release(coordinator, "a");
    await coordinator.ok("tasks.release.b", { session_id: "s1", attempt: 1, status: "complete" });
    assert.deepEqual(idsOf((await release(coordinator, "a")).next), ["c"]);
  });

  it("keeps its claim of the same task, which was given back and came again", async () => {
    await using coordinator = await TestCoordinator.start({ workers: WORKERS });
    await begin(coordinator, "a");
    const body = { status: "available" };
    const first = await release(coordinator, "a", body);
    assert.deepEqual([idsOf(first.next), first.next.claims[0].attempt], [["a"], 2]);
    for (let i = 0; i < MANY; i++) {
      const again = await release(coordinator, "a", body);
      assert.deepEqual([again.ok, again.task.status, again.task.attempt], [true, "claimed", 2]);
      const [claim] = again.next.claims;
      assert.deepEqual([claim.attempt, claim.already_held], [2, true]);
    }
    const { task } = await coordinator.ok("tasks.get.a");
    assert.deepEqual([task.claimed_by, task.attempt], ["s1", 2]);
  });

  it("keeps its claim when another session has claimed the released task", async () => {
    await using coordinator = await TestCoordinator.start({ workers: WORKERS });
    await begin(coordinator, "a", "b");
    await coordinator.ok("tasks.update.b", { priority: 0 });
    await heardByAll(coordinator, "b");
    const body = { status: "available" };
    assert.deepEqual(idsOf((await release(coordinator, "a", body)).next), ["b"]);
    await coordinator.ok("tasks.claim.a", { session_id: "s2" });
    await heardByAll(coordinator, "a");
    await heardByAll(coordinator, "b");
    for (let i = 0; i < MANY; i++) {
      const again = await release(coordinator, "a", body);
      assert.deepEqual([again.ok, again.task.claimed_by], [true, "s2"]);
      assert.deepEqual(idsOf(again.next), ["b"]);
    }
  });

  it("is refused if the claim was lost and nothing has followed its release", async () => {
    await using coordinator = await TestCoordinator.start();
    await begin(coordinator, "a", "b");
    await coordinator.ok("tasks.requeue.a");
    await coordinator.ok("tasks.claim.a", { session_id: "s2" });
    const error = await coordinator.refused("tasks.release.a", COMPLETE);
    assert.equal(error.code, "lease_lost");
    assert.equal((await coordinator.ok("tasks.get.b")).task.attempt, 0);
  });

  for (const sinceThen of ["nobody has claimed the task since", "another session has claimed it"]) {
    it(`is refused with another outcome, as without next, when ${sinceThen}`, async () => {
      await using coordinator = await TestCoordinator.start();
      await begin(coordinator, "a", "b");
      await coordinator.ok("tasks.update.b", { priority: 0 });
      const body = { ...COMPLETE, status: "available" };
      assert.deepEqual(idsOf((await release(coordinator, "a", body)).next), ["b"]);
      if (sinceThen.startsWith("another")) {
        await coordinator.ok("tasks.claim.a", { session_id: "s2" });
      }
      for (const status of ["complete", "failed"]) {
        const { next, ...without } = { ...COMPLETE, status };
        const refusal = await coordinator.refused("tasks.release.a", without);
        assert.equal(refusal.code, "lease_lost");
        const refused = await coordinator.refused("tasks.release.a", { ...without, next });
        assert.deepEqual(refused, refusal);
      }
      assert.deepEqual(idsOf((await release(coordinator, "a", body)).next), ["b"]);
    });
  }

  it("is refused for a lost claim of a new task, even if claims followed the removed task of that id", async () => {
    await using coordinator = await TestCoordinator.start();
    await begin(coordinator, "a", "b");
    assert.deepEqual(idsOf((await release(coordinator, "a")).next), ["b"]);
    const bucket = await new Kvm(coordinator.connection).open("tasks");
    await bucket.purge("a");
    await coordinator.until("tasks.stats", ({ total }) => total === 1);
    await begin(coordinator, "a");
    await coordinator.ok("tasks.requeue.a");
    assert.equal((await coordinator.refused("tasks.release.a", COMPLETE)).code, "lease_lost");
  });

  it("ends the earlier one, which has released the task, and gets the next task alone", async () => {
    await using coordinator = await TestCoordinator.start();
    await begin(coordinator, "a");
    const body = { next: { wait_seconds: 30 } };
    const earlier = release(coordinator, "a", body);
    await parked(coordinator, 1);
    const later = release(coordinator, "a", body);
    const { ok, task, next } = await earlier;
    assert.deepEqual([ok, task.status, next.claims], [true, "complete", []]);
    assert.equal(next.error.code, "conflict");
    await parked(coordinator, 1);
    await coordinator.ok("tasks.create.b");
    assert.deepEqual(idsOf((await later).next), ["b"]);
  });

  it("finds the claim of a parked request whose answer was lost", async () => {
    await using coordinator = await TestCoordinator.start({ workers: WORKERS });
    await begin(coordinator, "a");
    const body = { ...COMPLETE, next: { wait_seconds: 30 } };
    const since = coordinator.facts.length;
    const { connection } = coordinator;
    const asked = connection.request("tasks.release.a", JSON.stringify(body), { timeout: 200 });
    await assert.rejects(asked, /timeout/);
    await coordinator.ok("tasks.create.lost");
    await coordinator.fact("task_written", ({ event }) => event === "task_claimed", since);
    await heardByAll(coordinator, "lost");
    for (let i = 0; i < MANY; i++) {
      const again = await release(coordinator, "a", body);
      assert.deepEqual([idsOf(again.next), again.next.claims[0].already_held], [["lost"], true]);
    }
  });

  it("has its claims repeated by a tasks.next with the name of the record", async () => {
    await using coordinator = await TestCoordinator.start();
    await begin(coordinator, "a", "b", "c");
    const { next } = await release(coordinator, "a");
    const [claim] = next.claims;
    assert.equal(claim.task.claim_request, "after:1:complete:a");
    const again = { session_id: "s1", request_id: "after:1:complete:a" };
    assert.deepEqual(idsOf(await coordinator.ok("tasks.next", again)), ["b"]);
  });
});

/** Resolves when each worker has received what has happened to the task. */
async function heardByAll(coordinator: TestCoordinator, taskId: string): Promise<void> {
  const last = (await coordinator.ok(`tasks.get.${taskId}`)).revision as number;
  const heard = new Set<string>();
  await coordinator.until("tasks.stats", ({ revision, worker }) => {
    if (revision >= last) heard.add(worker.id as string);
    return heard.size === WORKERS;
  });
}
