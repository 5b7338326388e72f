import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { TestCoordinator } from "../support/test-coordinator.ts";
import { assertRefused } from "./refusal.ts";

describe("an operation that cannot be carried out", () => {
  let coordinator: TestCoordinator;
  before(async () => {
    coordinator = await TestCoordinator.start({ settings: { "retry.base_ms": 60_000 } });
  });
  after(() => coordinator[Symbol.asyncDispose]());

  it("on an unknown task says how to create it", async () => {
    const holder = { session_id: "s1" };
    for (const [operation, body] of [
      ["claim", holder],
      ["renew", holder],
      ["release", { ...holder, status: "complete" }],
      ["get", {}],
      ["history", {}],
      ["verify", holder],
      ["update", { title: "x" }],
      ["cancel", {}],
      ["requeue", {}],
    ] as const) {
      await assertRefused(coordinator, `tasks.${operation}.unknown`, body, {
        code: "not_found",
        says: ["there is no task unknown", "tasks.create.unknown"],
      });
    }
    await assertRefused(
      coordinator,
      "sessions.heartbeat.unknown",
      {},
      {
        code: "not_found",
        says: ["there is no session unknown", "sessions.register.unknown"],
      },
    );
  });

  it("to create a task that exists shows the one that is there", async () => {
    await coordinator.ok("tasks.create.there", { title: "first" });
    const reply = await assertRefused(
      coordinator,
      "tasks.create.there",
      { title: "second" },
      {
        code: "already_exists",
        says: ["task there exists already"],
      },
    );
    assert.equal(reply.task.title, "first");
  });

  it("to create, import, update or release over the size limit changes nothing", async () => {
    const large = "x".repeat(64 * 1024);
    const says = ["bytes, over the limit of 65536", "put a link into payload, metadata or result"];
    const refusal = { code: "too_large", says } as const;
    await assertRefused(coordinator, "tasks.create.large", { payload: large }, refusal);
    const tasks = [{ task_id: "small" }, { task_id: "large", payload: large }];
    await assertRefused(coordinator, "tasks.import", { tasks }, refusal);
    for (const id of ["small", "large"]) {
      assert.equal((await coordinator.refused(`tasks.get.${id}`)).code, "not_found");
    }
    await coordinator.ok("tasks.create.grows");
    await assertRefused(coordinator, "tasks.update.grows", { metadata: { large } }, refusal);
    const { attempt } = await coordinator.ok("tasks.claim.grows", { session_id: "s1" });
    const release = { session_id: "s1", attempt, status: "complete" };
    await assertRefused(coordinator, "tasks.release.grows", { ...release, result: large }, refusal);
    const { holds } = await coordinator.ok("tasks.verify.grows", { session_id: "s1", attempt });
    assert.equal(holds, true);
    await coordinator.ok("tasks.release.grows", { ...release, result: "https://example.org/1" });
  });

  it("to create a task of just the size that is allowed works", async () => {
    const { task } = await coordinator.ok("tasks.create.fits");
    const room = 64 * 1024 - Buffer.byteLength(JSON.stringify(task));
    // A payload of null became a text: four bytes go, two quotes come.
    const payload = "x".repeat(room + 2);
    await coordinator.ok("tasks.create.fitt", { payload });
    await assertRefused(
      coordinator,
      "tasks.create.fit2",
      { payload: `${payload}x` },
      {
        code: "too_large",
        says: ["would have 65537 bytes"],
      },
    );
  });

  it("by another session than the holder says who holds it", async () => {
    await coordinator.ok("tasks.create.held");
    const { attempt } = await coordinator.ok("tasks.claim.held", { session_id: "holder" });
    const refusal = {
      code: "not_holder",
      says: ["task held is held by holder, not by this session"],
    } as const;
    const other = { session_id: "other", attempt };
    const end = { ...other, status: "complete" };
    const reply = await assertRefused(coordinator, "tasks.release.held", end, refusal);
    assert.equal(reply.error.claimed_by, "holder");
    await assertRefused(coordinator, "tasks.renew.held", other, refusal);
    await coordinator.ok("tasks.release.held", { ...end, session_id: "holder" });
  });

  it("by nobody's holder says to claim it first", async () => {
    await coordinator.ok("tasks.create.free");
    await assertRefused(
      coordinator,
      "tasks.release.free",
      { session_id: "s1", status: "complete" },
      { code: "not_holder", says: ["nobody holds it", "claim it first"] },
    );
  });

  it("under a wrong attempt says that the claim has ended", async () => {
    await coordinator.ok("tasks.create.twice");
    await coordinator.ok("tasks.claim.twice", { session_id: "s1" });
    await coordinator.ok("tasks.release.twice", { session_id: "s1", status: "available" });
    await coordinator.ok("tasks.claim.twice", { session_id: "s1" });
    for (const attempt of [1, 3]) {
      const holder = { session_id: "s1", attempt };
      const refusal = {
        code: "lease_lost",
        says: ["this claim of task twice has ended", "attempt is now 2", "stop working on it"],
      } as const;
      const end = { ...holder, status: "complete" };
      const reply = await assertRefused(coordinator, "tasks.release.twice", end, refusal);
      assert.equal(reply.error.attempt, 2);
      await assertRefused(coordinator, "tasks.renew.twice", holder, refusal);
    }
    const { task } = await coordinator.ok("tasks.get.twice");
    assert.deepEqual([task.status, task.attempt], ["claimed", 2]);
  });

  it("to update another revision than the last says to read it again", async () => {
    const { revision } = await coordinator.ok("tasks.create.edited");
    await coordinator.ok("tasks.update.edited", { title: "new", revision });
    await assertRefused(
      coordinator,
      "tasks.update.edited",
      { title: "newer", revision },
      {
        code: "conflict",
        says: [`, not ${revision}: read it again`],
      },
    );
  });

  it("to claim a task that another session holds names the session", async () => {
    await coordinator.ok("tasks.create.busy");
    await coordinator.ok("tasks.claim.busy", { session_id: "s1" });
    const reply = await assertRefused(
      coordinator,
      "tasks.claim.busy",
      { session_id: "s2" },
      {
        code: "already_claimed",
        says: ["task busy is claimed by s1", "tasks.next"],
      },
    );
    assert.equal(reply.error.claimed_by, "s1");
  });

  it("to claim a complete, failed or cancelled task says what brings it back", async () => {
    for (const reason of ["complete", "failed", "cancelled"]) {
      await coordinator.ok(`tasks.create.${reason}`, { max_failures: 1 });
      if (reason === "cancelled") await coordinator.ok("tasks.cancel.cancelled");
      else {
        await coordinator.ok(`tasks.claim.${reason}`, { session_id: "s1" });
        await coordinator.ok(`tasks.release.${reason}`, { session_id: "s1", status: reason });
      }
      const reply = await assertRefused(
        coordinator,
        `tasks.claim.${reason}`,
        { session_id: "s2" },
        {
          code: "not_available",
          says: [`task ${reason} is ${reason}`, `tasks.requeue.${reason}`],
        },
      );
      assert.equal(reply.error.reason, reason);
      assert.equal(reply.task.status, reason);
    }
  });

  it("to claim a blocked task says what it waits for", async () => {
    await coordinator.ok("tasks.create.first");
    await coordinator.ok("tasks.create.second", { depends_on: ["first", "missing"] });
    const reply = await assertRefused(
      coordinator,
      "tasks.claim.second",
      { session_id: "s1" },
      {
        code: "not_available",
        says: ["task second is blocked by first, missing"],
      },
    );
    assert.equal(reply.error.reason, "blocked");
    assert.deepEqual(reply.error.waits_for, ["first", "missing"]);
  });

  it("to claim a task that is not due yet says when it is", async () => {
    await coordinator.ok("tasks.create.delayed");
    await coordinator.ok("tasks.claim.delayed", { session_id: "s1" });
    const failed = { session_id: "s1", status: "failed", error: "no luck" };
    const { task } = await coordinator.ok("tasks.release.delayed", failed);
    const reply = await assertRefused(
      coordinator,
      "tasks.claim.delayed",
      { session_id: "s2" },
      {
        code: "not_available",
        says: [`task delayed is not due before ${task.not_before}`],
      },
    );
    assert.deepEqual([reply.error.reason, reply.error.not_before], ["not_due", task.not_before]);
  });

  it("to claim without the capabilities says which are missing", async () => {
    await coordinator.ok("tasks.create.skilled", { requires: ["rust", "gpu"] });
    const claim = { session_id: "s1", capabilities: ["rust"] };
    const reply = await assertRefused(coordinator, "tasks.claim.skilled", claim, {
      code: "missing_capabilities",
      says: ["requires gpu", "register the session", "name them in the request"],
    });
    assert.deepEqual(reply.error.missing, ["gpu"]);
  });
});
