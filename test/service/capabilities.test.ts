import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Kvm } from "@nats-io/kv";
import { withLateWatch } from "../support/late-watch.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

describe("claiming a task that requires capabilities", () => {
  it("is refused for a session that lacks some of them, and names these", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a", { requires: ["gpu", "docs", "go"] });
    const error = await coordinator.refused("tasks.claim.a", {
      session_id: "s1",
      capabilities: ["docs"],
    });
    assert.deepEqual([error.code, error.missing], ["missing_capabilities", ["gpu", "go"]]);
    assert.match(error.message, /requires gpu, go: register the session with/);
    assert.equal((await coordinator.ok("tasks.get.a")).task.attempt, 0);
  });

  it("is allowed if the request names them", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a", { requires: ["gpu"] });
    const capabilities = ["docs", "gpu"];
    const claim = await coordinator.ok("tasks.claim.a", { session_id: "s1", capabilities });
    assert.equal(claim.attempt, 1);
  });

  it("is allowed if the session registered some of them and the request names the others", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a", { requires: ["gpu", "docs"] });
    await coordinator.ok("sessions.register.s1", { capabilities: ["gpu"] });
    const error = await coordinator.refused("tasks.claim.a", { session_id: "s1" });
    assert.deepEqual(error.missing, ["docs"]);
    await coordinator.ok("tasks.claim.a", { session_id: "s1", capabilities: ["docs"] });
  });

  it("is allowed right after the registration, through any worker", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 3 });
    for (let i = 0; i < 20; i++) {
      const session_id = `s${i}`;
      await coordinator.ok(`tasks.create.t${i}`, { requires: ["gpu"] });
      await coordinator.ok(`sessions.register.${session_id}`, { capabilities: ["gpu"] });
      await coordinator.ok(`tasks.claim.t${i}`, { session_id });
    }
  });

  it("is refused again after the session has registered without them", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a", { requires: ["gpu"] });
    await coordinator.ok("sessions.register.s1", { capabilities: ["gpu"] });
    await coordinator.ok("sessions.register.s1", { capabilities: [] });
    const error = await coordinator.refused("tasks.claim.a", { session_id: "s1" });
    assert.equal(error.code, "missing_capabilities");
  });
});

describe("asking for the next task with capabilities", () => {
  it("gets only tasks that the session can do, and counts the others", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.hard", { requires: ["gpu"], priority: 0 });
    await coordinator.ok("tasks.create.easy", { requires: ["docs"] });
    await coordinator.ok("sessions.register.s1", { capabilities: ["docs"] });
    const first = await coordinator.ok("tasks.next", { session_id: "s1" });
    assert.equal(first.claims[0].task.task_id, "easy");
    const second = await coordinator.ok("tasks.next", { session_id: "s1" });
    assert.deepEqual([second.claims, second.reasons.capabilities], [[], 1]);
    const third = await coordinator.ok("tasks.next", { session_id: "s1", capabilities: ["gpu"] });
    assert.equal(third.claims[0].task.task_id, "hard");
  });

  it("gets a task right after registering with another worker", async () => {
    let isLate = false;
    await using coordinator = await TestCoordinator.start({
      wrapStores: withLateWatch("sessions", () => isLate),
    });
    for (const id of ["a", "b"]) await coordinator.ok(`tasks.create.${id}`, { requires: ["gpu"] });
    const { session } = await coordinator.ok("sessions.register.s1");
    isLate = true;
    const bucket = await new Kvm(coordinator.connection).open("sessions");
    await bucket.put("s1", JSON.stringify({ ...session, capabilities: ["gpu"] }));
    const next = await coordinator.ok("tasks.next", { session_id: "s1" });
    assert.equal(next.claims[0]?.task.task_id, "a");
    const claim = await coordinator.ok("tasks.claim.b", { session_id: "s1" });
    assert.equal(claim.attempt, 1);
  });
});
