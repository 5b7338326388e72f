/** Claims that end with their session's connection, on a server that reports lost connections. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { next } from "../support/next-requests.ts";
import { lastLease } from "../support/stored-leases.ts";
import { Agent, startHearing, SYSTEM_SERVER, SYSTEM_USER } from "../support/system-account.ts";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

async function create(coordinator: TestCoordinator, ...ids: string[]): Promise<void> {
  await coordinator.ok("tasks.import", { tasks: ids.map((task_id) => ({ task_id })) });
}

/** Resolves when the claim has been taken back. */
function lost(coordinator: TestCoordinator, id: string): Promise<unknown> {
  return coordinator.fact("lease_disconnected", ({ taskId }) => taskId === id);
}

describe("a claim that ends with its connection", () => {
  it("goes to a parked request long before its time is over, and its holder is refused", async () => {
    await using coordinator = await startHearing();
    await create(coordinator, "a");
    const agent = await Agent.connect(coordinator.server);
    const { attempt } = await agent.claim("a");
    const waiting = next(coordinator, "s2", { wait_seconds: 30 });
    await agent.vanish();
    const { claims } = await waiting;
    assert.deepEqual([claims[0].task.task_id, claims[0].attempt], ["a", 2]);
    assert.deepEqual([claims[0].task.lost_leases, claims[0].task.failures], [1, 0]);
    assert.equal(claims[0].task.error, "connection lost");
    const { entries } = await coordinator.ok("tasks.history.a");
    const { type, session_id, reason } = entries[2].task.last_event;
    assert.deepEqual([type, session_id, reason], ["task_expired", "s1", "connection lost"]);
    const late = { session_id: "s1", attempt, status: "complete" };
    assert.equal((await coordinator.refused("tasks.release.a", late)).code, "lease_lost");
    const renewal = { session_id: "s1", attempt };
    assert.equal((await coordinator.refused("tasks.renew.a", renewal)).code, "lease_lost");
  });

  it("is taken back once by several workers", async () => {
    await using coordinator = await startHearing({ workers: 3 });
    const ids = Array.from({ length: 20 }, (_, i) => `t${i}`);
    await create(coordinator, ...ids);
    const agent = await Agent.connect(coordinator.server);
    await Promise.all(ids.map((id) => agent.claim(id)));
    const ended = ids.map((id) => lost(coordinator, id));
    await agent.vanish();
    await Promise.all(ended);
    for (const id of ids) {
      const events = ["task_created", "task_claimed", "task_expired"];
      assert.deepEqual(await coordinator.eventsOf(id), events);
    }
    const facts = coordinator.facts.filter(({ kind }) => kind === "lease_disconnected");
    assert.equal(facts.length, ids.length);
  });

  it("can also be made by tasks.next; claims without a connection stay", async () => {
    await using coordinator = await startHearing();
    await create(coordinator, "a", "b");
    const agent = await Agent.connect(coordinator.server);
    await agent.claim("a", { release_on_disconnect: undefined });
    const named = { session_id: "s1", ttl_seconds: 3_600, release_on_disconnect: agent.id };
    await agent.ok("tasks.next", named);
    const ended = lost(coordinator, "b");
    await agent.vanish();
    await ended;
    assert.equal((await coordinator.ok("tasks.get.a")).task.status, "claimed");
  });

  it("stays if its session names another connection in time, in any request", async () => {
    await using coordinator = await startHearing({ settings: { disconnect_grace_ms: 3_000 } });
    const ids = ["renewed", "beaten", "claimed", "asked", "left"];
    await create(coordinator, ...ids);
    await coordinator.ok("sessions.register.s1");
    const first = await Agent.connect(coordinator.server);
    for (const id of ids) {
      if (id !== "asked") await first.claim(id);
      else await first.ok("tasks.next", { ...request(first, "r1"), prefix: id });
    }
    const second = await Agent.connect(coordinator.server);
    const ended = lost(coordinator, "left");
    await first.vanish();
    const release_on_disconnect = second.id;
    await second.ok("tasks.renew.renewed", { session_id: "s1", attempt: 1, release_on_disconnect });
    const claims = [{ task_id: "beaten", attempt: 1 }];
    await second.ok("sessions.heartbeat.s1", { claims, release_on_disconnect });
    assert.equal((await second.claim("claimed")).already_held, true);
    await second.ok("tasks.next", { ...request(second, "r1"), prefix: "asked" });
    await ended;
    for (const id of ids.slice(0, -1)) {
      const { task } = await coordinator.ok(`tasks.get.${id}`);
      assert.deepEqual([task.status, task.attempt, task.claimed_by], ["claimed", 1, "s1"], id);
      const stored: Json = (await lastLease(coordinator.connection, id))?.json();
      assert.deepEqual(stored.connection, second.id, id);
    }
    // From now on the second connection counts.
    const over = ids.slice(0, -1).map((id) => lost(coordinator, id));
    await second.vanish();
    await Promise.all(over);
  });

  it("keeps its connection through renewals without one, by any worker", async () => {
    await using coordinator = await startHearing({ workers: 2 });
    await create(coordinator, "a");
    const agent = await Agent.connect(coordinator.server);
    await agent.claim("a");
    for (let i = 0; i < 4; i++) {
      await coordinator.ok("tasks.renew.a", { session_id: "s1", attempt: 1, progress: i });
    }
    const ended = lost(coordinator, "a");
    await agent.vanish();
    await ended;
  });

  it("ends if its connection was lost before the claim was made", async () => {
    await using coordinator = await startHearing();
    await create(coordinator, "a", "b");
    const agent = await Agent.connect(coordinator.server);
    await agent.claim("a");
    const ended = lost(coordinator, "a");
    await agent.vanish();
    await ended;
    const again = lost(coordinator, "b");
    const body = { session_id: "s1", ttl_seconds: 3_600, release_on_disconnect: agent.id };
    await coordinator.ok("tasks.claim.b", body);
    await again;
  });

  it("must name a connection, and the refusal says how", async () => {
    await using coordinator = await startHearing();
    for (const release_on_disconnect of [true, "yes", { server_id: "N", client_id: "7" }, {}]) {
      const body = { session_id: "s1", release_on_disconnect };
      const { code, message, field } = await coordinator.refused("tasks.claim.a", body);
      assert.equal(code, "invalid_request");
      assert.match(field, /^release_on_disconnect/);
      assert.match(message, /your own NATS connection.*server_id.*client_id.*INFO/);
    }
  });
});

describe("whether lost connections are reported", () => {
  it("is shown by tasks.stats", async () => {
    await using coordinator = await startHearing();
    assert.equal((await coordinator.ok("tasks.stats")).release_on_disconnect, true);
    const facts = coordinator.facts.filter(({ kind }) => kind === "disconnects");
    assert.deepEqual(facts, [{ kind: "disconnects", areReported: true, problem: null }]);
  });

  for (const [what, settings, problem] of [
    ["no user is set", {}, null],
    [
      "the password is wrong",
      { ...SYSTEM_USER, "nats.system_password": "wrong" },
      /check nats\.sys/,
    ],
    [
      "the file is missing",
      { "nats.system_creds_file": "/no/such/file" },
      /nats\.system_creds_file/,
    ],
    [
      "the user is none of the system",
      { "nats.system_username": "plain" },
      /use one of the system/,
    ],
    [
      "the user is not permitted",
      { "nats.system_username": "mute" },
      /permit the user to subscribe/,
    ],
  ] as const) {
    it(`is false if ${what}, and claims end when their time is over`, async () => {
      const config = `jetstream: enabled
        accounts {
          $SYS { users: [ { user: system, password: secret }
            { user: mute, password: secret, permissions: { subscribe: { deny: ["$SYS.>"] } } } ] }
          A { jetstream: enabled, users: [ { user: plain, password: secret } ] } }
        no_auth_user: plain`;
      const password =
        "nats.system_username" in settings ? { "nats.system_password": "secret" } : {};
      await using coordinator = await TestCoordinator.start({
        server: { config },
        settings: { ...password, ...settings, disconnect_grace_ms: 0 },
      });
      assert.equal((await coordinator.ok("tasks.stats")).release_on_disconnect, false);
      const facts = coordinator.facts.filter(({ kind }) => kind === "disconnects");
      assert.equal(facts.length, 1);
      const [fact] = facts;
      assert.ok(fact?.kind === "disconnects" && !fact.areReported);
      if (problem === null) assert.equal(fact.problem, null);
      else assert.match(fact.problem ?? "", problem);
      await create(coordinator, "a");
      const agent = await Agent.connect(coordinator.server);
      const ended = coordinator.fact("lease_expired");
      await agent.claim("a", { ttl_seconds: 1 });
      await agent.vanish();
      await ended;
    });
  }

  it("changes with the connection to the system account", async () => {
    await using coordinator = await startHearing();
    const broken = coordinator.fact("disconnects", ({ areReported }) => !areReported);
    const mended = coordinator.fact("disconnects", ({ areReported }) => areReported);
    await coordinator.server.kill();
    await broken;
    await coordinator.server.restart();
    await mended;
    for (let isHeard = false; !isHeard;) {
      try {
        const reply = await coordinator.request("tasks.stats", {}, 1_000);
        isHeard = reply.release_on_disconnect === true;
      } catch {
        // The request was lost with a connection that is being opened again.
      }
    }
  });

  it("needs a user of the system account at one worker only", async () => {
    await using coordinator = await TestCoordinator.start({ server: SYSTEM_SERVER });
    const settings = { ...SYSTEM_USER, disconnect_grace_ms: 100 };
    await coordinator.addWorkers(1, { settings });
    await create(coordinator, "a", "b", "c");
    const agent = await Agent.connect(coordinator.server);
    const ended = ["a", "b", "c"].map((id) => lost(coordinator, id));
    for (const id of ["a", "b", "c"]) await agent.claim(id);
    await agent.vanish();
    await Promise.all(ended);
  });
});

function request(agent: Agent, request_id: string): object {
  const release_on_disconnect = agent.id;
  return { session_id: "s1", ttl_seconds: 3_600, release_on_disconnect, request_id };
}
