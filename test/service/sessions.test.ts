import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Kvm } from "@nats-io/kv";
import { withLateWatch } from "../support/late-watch.ts";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

describe("registering a session", () => {
  it("answers with the registration and all its defaults", async () => {
    await using coordinator = await TestCoordinator.start({
      settings: { session_ttl_seconds: 77 },
    });
    const before = Date.now();
    const { session } = await coordinator.ok("sessions.register.agent-1");
    const { registered_at, ...rest } = session;
    assert.deepEqual(rest, {
      session_id: "agent-1",
      capabilities: [],
      metadata: {},
      ttl_seconds: 77,
    });
    assert.ok(Date.parse(registered_at as string) >= before);
  });

  it("again replaces its capabilities, and keeps the time of the first registration", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 3 });
    const first = await coordinator.ok("sessions.register.s1", {
      capabilities: ["gpu", "gpu", "docs"],
      metadata: { model: "x" },
      ttl_seconds: 60,
    });
    assert.deepEqual(first.session.capabilities, ["gpu", "docs"]);
    for (let i = 0; i < 10; i++) {
      const { session } = await coordinator.ok("sessions.register.s1", { capabilities: [`c${i}`] });
      assert.equal(session.registered_at, first.session.registered_at);
    }
    const before = Date.now();
    await coordinator.ok("sessions.register.s1", { capabilities: ["c9"], ttl_seconds: 90 });
    const { sessions } = await coordinator.ok("sessions.list");
    assert.equal(sessions.length, 1);
    assert.deepEqual([sessions[0].capabilities, sessions[0].metadata], [["c9"], {}]);
    const leftMs = Date.parse(sessions[0].expires_at) - before;
    assert.ok(leftMs > 85_000 && leftMs < 105_000, sessions[0].expires_at);
  });

  it("is not undone by a late heartbeat through another worker", async () => {
    let isLate = false;
    await using coordinator = await TestCoordinator.start({
      wrapStores: withLateWatch("sessions", () => isLate),
    });
    const { session } = await coordinator.ok("sessions.register.s1", { capabilities: ["old"] });
    isLate = true;
    // Another worker writes this when the session registers there again.
    const { session_id, ...stored } = session;
    const bucket = await new Kvm(coordinator.connection).open("sessions");
    await bucket.put(session_id as string, JSON.stringify({ ...stored, capabilities: ["new"] }));
    const heartbeat = await coordinator.ok("sessions.heartbeat.s1");
    assert.deepEqual(heartbeat.session.capabilities, ["new"]);
    const now: Json = (await bucket.get("s1"))?.json();
    assert.deepEqual(now.capabilities, ["new"]);
  });
});

describe("a session", () => {
  it("ends when its TTL runs out without a heartbeat", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("sessions.register.short", { ttl_seconds: 1 });
    await coordinator.ok("sessions.register.long", { ttl_seconds: 60 });
    const { sessions } = await coordinator.until(
      "sessions.list",
      (reply: Json) => reply.sessions.length < 2,
    );
    assert.equal(sessions[0].session_id, "long");
    const error = await coordinator.refused("sessions.heartbeat.short");
    assert.equal(error.code, "not_found");
    assert.match(error.message, /register it with sessions\.register\.short/);
  });

  it("can register again after that", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("sessions.register.s1", { ttl_seconds: 1 });
    await coordinator.until("sessions.list", (reply: Json) => reply.sessions.length === 0);
    await coordinator.ok("sessions.register.s1");
    await coordinator.ok("sessions.heartbeat.s1");
  });

  it("is known to every worker at once", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 3 });
    for (let i = 0; i < 20; i++) {
      await coordinator.ok(`sessions.register.s${i}`);
      const [list, heartbeat] = await Promise.all([
        coordinator.ok("sessions.list", { prefix: `s${i}` }),
        coordinator.ok(`sessions.heartbeat.s${i}`),
      ]);
      assert.ok(list.sessions.some((session: Json) => session.session_id === `s${i}`));
      assert.equal(heartbeat.session.session_id, `s${i}`);
    }
  });
});

describe("listing sessions", () => {
  it("goes through all pages in order, with the number of claims of each", async () => {
    await using coordinator = await TestCoordinator.start();
    for (const id of ["b.2", "a.1", "b.1", "c.1", "b.3"]) {
      await coordinator.ok(`sessions.register.${id}`);
    }
    await coordinator.ok("tasks.create.x");
    await coordinator.ok("tasks.claim.x", { session_id: "b.3" });
    const first = await coordinator.ok("sessions.list", { limit: 2, prefix: "b." });
    const second = await coordinator.ok("sessions.list", {
      limit: 2,
      prefix: "b.",
      cursor: first.next_cursor,
    });
    const shown = [...first.sessions, ...second.sessions].map((s: Json) => [
      s.session_id,
      s.claims,
    ]);
    assert.deepEqual(shown, [
      ["b.1", 0],
      ["b.2", 0],
      ["b.3", 1],
    ]);
    assert.equal(second.next_cursor, null);
    assert.equal((await coordinator.ok("sessions.list")).sessions.length, 5);
  });
});

describe("unregistering a session", () => {
  it("returns its claims to the pool at once, and ends it", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 3 });
    await coordinator.ok("sessions.register.s1");
    for (const id of ["a", "b", "others"]) await coordinator.ok(`tasks.create.${id}`);
    await coordinator.ok("tasks.claim.a", { session_id: "s1" });
    await coordinator.ok("tasks.claim.others", { session_id: "s2" });
    await coordinator.ok("tasks.claim.b", { session_id: "s1" });
    assert.deepEqual((await coordinator.ok("sessions.unregister.s1")).released, ["a", "b"]);
    assert.equal((await coordinator.ok("tasks.get.others")).task.claimed_by, "s2");
    for (const id of ["a", "b"]) {
      const claim = await coordinator.ok(`tasks.claim.${id}`, { session_id: "s3" });
      assert.deepEqual([claim.attempt, claim.task.failures], [2, 0]);
    }
    assert.equal((await coordinator.refused("sessions.heartbeat.s1")).code, "not_found");
    assert.deepEqual((await coordinator.ok("sessions.list")).sessions, []);
  });

  it("is idempotent", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("sessions.register.s1");
    await coordinator.ok("sessions.unregister.s1");
    assert.deepEqual(await coordinator.ok("sessions.unregister.s1"), { ok: true, released: [] });
  });
});
