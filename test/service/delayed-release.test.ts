/** Tasks that their holder gives back without a failure, to be claimed after a delay. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

const HELD = { session_id: "s1", attempt: 1 };

async function claimed(...ids: readonly string[]): Promise<TestCoordinator> {
  const coordinator = await TestCoordinator.start();
  for (const id of ids) {
    await coordinator.ok(`tasks.create.${id}`);
    await coordinator.ok(`tasks.claim.${id}`, { session_id: "s1" });
  }
  return coordinator;
}

describe("a task that is given back with a delay", () => {
  it("is not handed out before its time, and then goes to a parked request", async () => {
    await using coordinator = await claimed("a");
    const delay = { delay_seconds: 1, cause: "the quota is exhausted" };
    const { task } = await coordinator.ok("tasks.release.a", {
      ...HELD,
      status: "available",
      ...delay,
    });
    assert.deepEqual([task.status, task.failures, task.lost_leases], ["available", 0, 0]);
    const { type, reason, timestamp } = task.last_event;
    assert.deepEqual([type, reason], ["task_released", "the quota is exhausted"]);
    const delayMs = Date.parse(task.not_before) - Date.parse(timestamp);
    assert.ok(delayMs > 900 && delayMs <= 1_000, `${delayMs} ms`);

    const none = await coordinator.ok("tasks.next", { session_id: "s1" });
    assert.deepEqual([none.reasons, none.next_due_at], [{ not_due: 1 }, task.not_before]);
    const { claims } = await coordinator.ok("tasks.next", { session_id: "s1", wait_seconds: 30 });
    assert.equal(claims[0].attempt, 2);
    assert.ok(claims[0].task.claimed_at >= task.not_before);
  });

  it("becomes ready at the time that its holder names", async () => {
    await using coordinator = await claimed("a", "b");
    const release = { ...HELD, status: "available" };
    const far = "9999-01-01T00:00:00+01:00";
    const { task } = await coordinator.ok("tasks.release.a", { ...release, resume_at: far });
    assert.equal(task.not_before, "9998-12-31T23:00:00.000Z");
    for (const now of [{ resume_at: "2020-01-01T00:00:00Z" }, { delay_seconds: 0 }]) {
      await coordinator.ok("tasks.release.b", { session_id: "s1", status: "available", ...now });
      await coordinator.ok("tasks.claim.b", { session_id: "s1" });
    }
  });

  it("keeps its time when the release is repeated, even with another delay", async () => {
    await using coordinator = await claimed("a");
    const release = { ...HELD, status: "available", delay_seconds: 60 };
    const first = await coordinator.ok("tasks.release.a", release);
    const again = await coordinator.ok("tasks.release.a", { ...release, delay_seconds: 2 });
    assert.deepEqual([again.revision, again.task], [first.revision, first.task]);
  });

  it("is cancelled if its cancellation was requested", async () => {
    await using coordinator = await claimed("a");
    await coordinator.ok("tasks.cancel.a");
    const release = { ...HELD, status: "available", delay_seconds: 60, cause: "later" };
    const { task } = await coordinator.ok("tasks.release.a", release);
    assert.deepEqual(
      [task.status, task.not_before, task.last_event.reason],
      ["cancelled", null, "stopped as asked"],
    );
  });
});

describe("a release that names a delay or a cause", () => {
  const refusals: readonly (readonly [Json, string, RegExp])[] = [
    [{ status: "complete", delay_seconds: 1 }, "delay_seconds", /status available, not complete/],
    [{ status: "failed", resume_at: "2026-01-01T00:00:00Z" }, "resume_at", /not failed/],
    [{ status: "failed", cause: "no quota" }, "cause", /not failed/],
    [{ status: "available", delay_seconds: -1 }, "delay_seconds", /between 0 and 2592000/],
    [{ status: "available", delay_seconds: 2_592_001 }, "delay_seconds", /30 days/],
    [{ status: "available", resume_at: "tomorrow" }, "resume_at", /ISO-8601/],
    [
      { status: "available", delay_seconds: 1, resume_at: "2026-01-01T00:00:00Z" },
      "resume_at",
      /give only one of them/,
    ],
    [{ status: "available", cause: "lease expired" }, "cause", /use other words/],
    [{ status: "available", cause: "" }, "cause", /at least 1 character/],
  ];

  it("is refused with the name of the field if it does not fit, and changes nothing", async () => {
    await using coordinator = await claimed("a");
    for (const [body, field, message] of refusals) {
      const error = await coordinator.refused("tasks.release.a", { ...HELD, ...body });
      assert.deepEqual([error.code, error.field], ["invalid_request", field]);
      assert.match(error.message, message);
    }
    const { task } = await coordinator.ok("tasks.get.a");
    assert.equal(task.status, "claimed");
  });
});
