import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

describe("claiming a task", () => {
  it("has exactly one winner among ten simultaneous claims, for each of 100 tasks", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 3 });
    const ids = Array.from({ length: 100 }, (_, i) => `task-${i}`);
    await coordinator.ok("tasks.import", { tasks: ids.map((task_id) => ({ task_id })) });

    const outcomes = await Promise.all(
      ids.flatMap((id) =>
        Array.from({ length: 10 }, async (_, s) => {
          const session = `session-${s}`;
          const reply = await coordinator.request(`tasks.claim.${id}`, { session_id: session });
          return { id, session, reply };
        }),
      ),
    );

    for (const id of ids) {
      const ofTask = outcomes.filter((outcome) => outcome.id === id);
      const winners = ofTask.filter(({ reply }) => reply.ok);
      assert.equal(winners.length, 1, `${id} has ${winners.length} winners`);
      const [winner] = winners;
      assert.ok(winner !== undefined);
      assert.equal(winner.reply.attempt, 1);
      for (const { reply } of ofTask.filter(({ reply }) => !reply.ok)) {
        assert.equal(reply.error.code, "already_claimed");
        assert.equal(reply.error.claimed_by, winner.session);
      }
      const { task } = await coordinator.ok(`tasks.get.${id}`);
      assert.equal(task.claimed_by, winner.session);
    }
  });

  it("answers with the task, its attempt and its lease", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a", { title: "A" });
    const before = Date.now();
    const reply = await coordinator.ok("tasks.claim.a", { session_id: "s1", ttl_seconds: 60 });
    assert.equal(reply.attempt, 1);
    assert.equal(reply.already_held, false);
    assert.equal(reply.lease.ttl_seconds, 60);
    assert.ok(Date.parse(reply.lease.expires_at) >= before + 60_000);
    assert.equal(reply.task.title, "A");
    assert.deepEqual(
      [reply.task.status, reply.task.claimed_by, reply.task.attempt],
      ["claimed", "s1", 1],
    );
    assert.equal(reply.task.last_event.type, "task_claimed");
    assert.equal((await coordinator.ok("tasks.get.a")).revision, reply.revision);
  });

  it("has the revision that it replaced as its fencing token, until the next claim", async () => {
    await using coordinator = await TestCoordinator.start();
    let { revision } = await coordinator.ok("tasks.create.a");
    for (const subject of ["tasks.claim.a", "tasks.next"]) {
      const reply = await coordinator.ok(subject, { session_id: "s1" });
      const claim = subject === "tasks.next" ? reply.claims[0] : reply;
      assert.equal(claim.fencing_token, revision);
      assert.equal(claim.task.fencing_token, revision);
      const released = await coordinator.ok("tasks.release.a", {
        session_id: "s1",
        status: "complete",
      });
      assert.equal(released.task.fencing_token, revision);
      const requeued = await coordinator.ok("tasks.requeue.a");
      assert.equal(requeued.task.fencing_token, revision);
      revision = requeued.revision;
    }
  });

  it("gives its holder, and no other session, the same attempt again", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 2 });
    await coordinator.ok("tasks.create.a");
    const first = await coordinator.ok("tasks.claim.a", { session_id: "s1" });
    const again = await coordinator.ok("tasks.claim.a", { session_id: "s1" });
    assert.deepEqual(
      [again.attempt, again.already_held, again.revision],
      [1, true, first.revision],
    );
    const error = await coordinator.refused("tasks.claim.a", { session_id: "s2" });
    assert.deepEqual([error.code, error.claimed_by], ["already_claimed", "s1"]);
  });

  it("uses the default TTL unless the claim names one", async () => {
    await using coordinator = await TestCoordinator.start({
      settings: { task_claim_ttl_seconds: 77 },
    });
    await coordinator.ok("tasks.create.a");
    const { lease } = await coordinator.ok("tasks.claim.a", { session_id: "s1" });
    assert.equal(lease.ttl_seconds, 77);
  });
});

describe("releasing a task", () => {
  it("completes it with its result", async () => {
    await using coordinator = await TestCoordinator.start();
    const { attempt } = await claimed(coordinator, "a", "s1");
    const release = { session_id: "s1", attempt, status: "complete", result: { lines: 3 } };
    const { task } = await coordinator.ok("tasks.release.a", release);
    assert.deepEqual([task.status, task.completed_by, task.claimed_by], ["complete", "s1", null]);
    assert.deepEqual(task.result, { lines: 3 });
  });

  it("can be repeated by the same session, and by no other", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 2 });
    for (const status of ["complete", "available", "failed"]) {
      const id = `task-${status}`;
      await claimed(coordinator, id, "s1");
      const release = { session_id: "s1", attempt: 1, status };
      const first = await coordinator.ok(`tasks.release.${id}`, release);
      const again = await coordinator.ok(`tasks.release.${id}`, release);
      assert.equal(again.revision, first.revision);
      const error = await coordinator.refused(`tasks.release.${id}`, {
        ...release,
        session_id: "s2",
      });
      assert.equal(error.code, "lease_lost");
    }
  });

  it("as available counts as no failure, and any session can claim it at once", async () => {
    await using coordinator = await TestCoordinator.start();
    await claimed(coordinator, "a", "s1");
    const { task } = await coordinator.ok("tasks.release.a", {
      session_id: "s1",
      status: "available",
    });
    assert.deepEqual([task.status, task.failures, task.not_before], ["available", 0, null]);
    const next = await coordinator.ok("tasks.claim.a", { session_id: "s2" });
    assert.equal(next.attempt, 2);
  });

  it("as failed delays the next attempt, and the last failure ends the task", async () => {
    await using coordinator = await TestCoordinator.start({ settings: { "retry.base_ms": 100 } });
    await coordinator.ok("tasks.create.a", { max_failures: 2 });
    await coordinator.ok("tasks.claim.a", { session_id: "s1" });
    const { task } = await coordinator.ok("tasks.release.a", {
      session_id: "s1",
      status: "failed",
      error: "no disk",
    });
    assert.deepEqual([task.status, task.failures, task.error], ["available", 1, "no disk"]);
    assert.equal(task.last_event.type, "task_attempt_failed");

    const early = await coordinator.refused("tasks.claim.a", { session_id: "s1" });
    assert.deepEqual(
      [early.code, early.reason, early.not_before],
      ["not_available", "not_due", task.not_before],
    );
    await coordinator.until("tasks.claim.a", (reply) => reply.ok, { session_id: "s1" });
    const last = await coordinator.ok("tasks.release.a", { session_id: "s1", status: "failed" });
    assert.deepEqual([last.task.status, last.task.failures], ["failed", 2]);
    assert.equal(last.task.last_event.type, "task_failed");
    const error = await coordinator.refused("tasks.claim.a", { session_id: "s1" });
    assert.deepEqual([error.code, error.reason], ["not_available", "failed"]);
  });

  it("as failed without retry ends the task at once", async () => {
    await using coordinator = await TestCoordinator.start();
    await claimed(coordinator, "a", "s1");
    const { task } = await coordinator.ok("tasks.release.a", {
      session_id: "s1",
      status: "failed",
      retry: false,
    });
    assert.deepEqual([task.status, task.failures], ["failed", 1]);
  });
});

describe("a stale holder", () => {
  it("is refused by every operation, and changes nothing", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 3 });
    await claimed(coordinator, "a", "s1");
    await coordinator.ok("tasks.release.a", { session_id: "s1", status: "available" });
    const current = await coordinator.ok("tasks.claim.a", { session_id: "s2" });

    const stale = { session_id: "s1", attempt: 1 };
    for (const subject of ["tasks.renew.a", "tasks.release.a"]) {
      const body = subject === "tasks.renew.a" ? stale : { ...stale, status: "complete" };
      assert.equal((await coordinator.refused(subject, body)).code, "lease_lost");
    }
    assert.deepEqual(
      await coordinator.ok("tasks.verify.a", stale).then(({ holds, holder }) => [holds, holder]),
      [false, "s2"],
    );
    const after = await coordinator.ok("tasks.get.a");
    assert.equal(after.revision, current.revision);
    assert.equal(
      (await coordinator.ok("tasks.renew.a", { session_id: "s2", attempt: 2 })).ok,
      true,
    );
  });

  it("is refused even if the same session holds the task again", async () => {
    await using coordinator = await TestCoordinator.start();
    await claimed(coordinator, "a", "s1");
    await coordinator.ok("tasks.release.a", { session_id: "s1", status: "available" });
    await coordinator.ok("tasks.claim.a", { session_id: "s1" });
    const stale = { session_id: "s1", attempt: 1, status: "complete" };
    assert.equal((await coordinator.refused("tasks.release.a", stale)).code, "lease_lost");
  });
});

async function claimed(coordinator: TestCoordinator, id: string, session: string): Promise<Json> {
  await coordinator.ok(`tasks.create.${id}`);
  return coordinator.ok(`tasks.claim.${id}`, { session_id: session });
}
