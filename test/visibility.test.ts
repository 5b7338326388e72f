/** What agents see of the tasks and sessions of others, with each setting of auth.visibility. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Operation, OPERATIONS } from "../src/protocol/operations.ts";
import type { Visibility } from "../src/protocol/visibility.ts";
import { type Json, TestCoordinator } from "./support/test-coordinator.ts";

const SECRET = "the-content-of-others";
/** Its index has no content of such a record. */
const LARGE = SECRET + "x".repeat(4_000);

function start(visibility: Visibility): Promise<TestCoordinator> {
  return TestCoordinator.start({
    settings: { "auth.mode": "accounts", "auth.visibility": visibility },
  });
}

/** Tasks and a session of the agent `s2`, with the secret wherever it can be. Nobody can claim one of the tasks. */
async function fill(coordinator: TestCoordinator): Promise<string[]> {
  const s2 = (subject: string, body: object = {}): Promise<Json> =>
    coordinator.ok(`agent.s2.${subject}`, body);
  await s2("sessions.register.s2", { metadata: { SECRET } });
  const holder = { session_id: "s2" };
  const ids = ["claimed", "complete", "failed", "cancelled", "large"];
  for (const id of ids) {
    const payload = id === "large" ? LARGE : SECRET;
    await s2(`tasks.create.${id}`, { payload, metadata: { SECRET }, max_failures: 1 });
    const { attempt } = await s2(`tasks.claim.${id}`, holder);
    const renewal = { ...holder, attempt, progress: { SECRET } };
    await s2(`tasks.renew.${id}`, renewal);
    const end = { ...holder, attempt };
    if (id === "complete") await s2(`tasks.release.${id}`, { ...end, status: id, result: SECRET });
    if (id === "failed") await s2(`tasks.release.${id}`, { ...end, status: id, error: SECRET });
    if (id === "cancelled") await s2(`tasks.cancel.${id}`, { ...holder });
  }
  await s2("tasks.create.blocked", { payload: SECRET, depends_on: ["claimed"] });
  const later = new Date(Date.now() + 3_600_000).toISOString();
  await s2("tasks.create.later", { payload: SECRET, not_before: later });
  return [...ids, "blocked", "later"];
}

type Requests = readonly (readonly [subject: string, body: object])[];

/** What the agent `s1` tries. The table has every operation. */
function attemptsAt(ids: readonly string[]): Readonly<Record<Operation, Requests>> {
  const s1 = { session_id: "s1" };
  const held = { ...s1, attempt: 1 };
  const each = (operation: string, ...bodies: object[]): Requests =>
    ids.flatMap((id) => bodies.map((body) => [`tasks.${operation}.${id}`, body] as const));
  return {
    "tasks.create": [...each("create", {}), ["tasks.create.mine", {}]],
    "tasks.import": [["tasks.import", { tasks: ids.map((task_id) => ({ task_id })) }]],
    "tasks.claim": each("claim", s1, { ...s1, instance: "i" }),
    "tasks.next": [["tasks.next", { ...s1, max: 100 }]],
    "tasks.renew": each("renew", s1, held),
    "tasks.release": [
      ...each("release", { ...held, status: "complete" }, { ...held, status: "failed", next: {} }),
      ["tasks.release.mine", { ...held, status: "complete", next: { max: 100 } }],
    ],
    "tasks.get": each("get", {}),
    "tasks.list": [
      ["tasks.list", {}],
      ["tasks.list", { claimed_by: "s2" }],
      ["tasks.list", { limit: 1 }],
    ],
    "tasks.history": each("history", {}, { since: 1 }),
    "tasks.changes": [
      ["tasks.changes", {}],
      ["tasks.changes", { since: 3, limit: 2 }],
    ],
    "tasks.verify": each("verify", {}, held),
    "tasks.update": each("update", { title: "x" }, { title: "x", revision: 1 }),
    "tasks.cancel": each("cancel", {}, { ...s1, force: true }),
    "tasks.requeue": each("requeue", {}, s1),
    "tasks.stats": [["tasks.stats", {}]],
    "sessions.register": [
      ["sessions.register.s1", {}],
      ["sessions.register.s2", {}],
    ],
    "sessions.heartbeat": [
      ["sessions.heartbeat.s1", { claims: ids.map((task_id) => ({ task_id, attempt: 1 })) }],
      ["sessions.heartbeat.s2", {}],
    ],
    "sessions.list": [["sessions.list", {}]],
    "sessions.unregister": [
      ["sessions.unregister.s1", {}],
      ["sessions.unregister.s2", {}],
    ],
  };
}

describe("an agent with auth.visibility", () => {
  for (const visibility of ["definitions", "own"] as const) {
    it(`${visibility} sees no content of others in the bytes of any reply`, async () => {
      await using coordinator = await start(visibility);
      const ids = await fill(coordinator);
      const attempts = attemptsAt(ids);
      const showing = new Set<string>();
      for (const operation of Object.keys(OPERATIONS) as Operation[]) {
        for (const [subject, body] of attempts[operation]) {
          const text = JSON.stringify(body);
          const { connection } = coordinator;
          const options = { timeout: 10_000 };
          const reply = await connection.request(`agent.s1.${subject}`, text, options);
          assert.ok(!reply.string().includes(SECRET), `${subject} ${text}: ${reply.string()}`);
          if (!/get|list|history|changes/.test(operation)) continue;
          const whole = await connection.request(`operator.ann.${subject}`, text, options);
          if (whole.string().includes(SECRET)) showing.add(operation);
        }
      }
      const reads = ["tasks.get", "tasks.list", "tasks.history", "tasks.changes", "sessions.list"];
      assert.deepEqual([...showing], reads, "an operator sees the contents");
    });
  }

  it("all sees everything", async () => {
    await using coordinator = await start("all");
    await fill(coordinator);
    const { task, lease } = await coordinator.ok("agent.s1.tasks.get.claimed");
    assert.deepEqual([task.payload, task.redacted], [SECRET, undefined]);
    assert.deepEqual(lease.progress, { SECRET });
    const { sessions } = await coordinator.ok("agent.s1.sessions.list");
    assert.deepEqual(sessions[0].metadata, { SECRET });
  });

  it("definitions sees the definition and the state of all tasks", async () => {
    await using coordinator = await start("definitions");
    await fill(coordinator);
    const { task, lease } = await coordinator.ok("agent.s1.tasks.get.claimed");
    assert.deepEqual(
      [task.task_id, task.status, task.claimed_by, task.redacted],
      ["claimed", "claimed", "s2", true],
    );
    assert.deepEqual(
      [task.payload, task.metadata, task.result, task.error],
      [null, {}, null, null],
    );
    assert.deepEqual([lease.ttl_seconds, lease.progress], [300, null]);
    const { tasks } = await coordinator.ok("agent.s1.tasks.list");
    assert.equal(tasks.length, 7);
    assert.ok(tasks.every((one: Json) => one.redacted === true));
    const refused = await coordinator.request("agent.s1.tasks.claim.claimed", {
      session_id: "s1",
    });
    assert.deepEqual([refused.error.code, refused.task.redacted], ["already_claimed", true]);
  });

  for (const visibility of ["definitions", "own"] as const) {
    it(`${visibility} gets the whole record of what it claims, and of what it has created`, async () => {
      await using coordinator = await start(visibility);
      await coordinator.ok("operator.ann.tasks.create.a", { payload: SECRET });
      const before = await coordinator.ok("agent.s1.tasks.get.a");
      assert.deepEqual([before.task.redacted, before.task.payload], [true, null]);
      const claim = { session_id: "s1.laptop" };
      const { task } = await coordinator.ok("agent.s1.tasks.claim.a", claim);
      assert.deepEqual([task.redacted, task.payload], [undefined, SECRET]);
      const mine = await coordinator.ok("agent.s1.tasks.get.a");
      assert.equal(mine.task.payload, SECRET);
      const result = { session_id: "s1.laptop", status: "complete", result: "done" };
      await coordinator.ok("agent.s1.tasks.release.a", result);
      const { tasks } = await coordinator.ok("agent.s1.tasks.list");
      assert.deepEqual([tasks[0].payload, tasks[0].result], [SECRET, "done"]);
      // Its name begins with that of the other one.
      const other = await coordinator.ok("agent.s1.tasks.create.b", { payload: SECRET });
      assert.equal(other.task.payload, SECRET);
      const { tasks: seen } = await coordinator.ok("agent.s10.tasks.list");
      assert.ok(!JSON.stringify(seen).includes(SECRET));
      const { claims } = await coordinator.ok("agent.s10.tasks.next", { session_id: "s10" });
      assert.equal(claims[0].task.payload, SECRET);
      assert.equal((await coordinator.ok("agent.s1.tasks.get.b")).task.payload, SECRET);
    });
  }

  it("own sees no task of others that it could not claim, but gets what it asks for with next", async () => {
    await using coordinator = await start("own");
    const ids = await fill(coordinator);
    const s1 = (subject: string, body: object = {}): Promise<Json> =>
      coordinator.request(`agent.s1.${subject}`, body);
    for (const id of ids.filter((one) => one !== "later")) {
      for (const [operation, body] of [
        ["get", {}],
        ["history", {}],
        ["verify", { session_id: "s1", attempt: 1 }],
        ["update", { title: "x" }],
        ["cancel", {}],
      ] as const) {
        const { error, task } = await s1(`tasks.${operation}.${id}`, body);
        assert.deepEqual([error?.code, task], ["not_found", undefined], `${operation} ${id}`);
      }
      const unknown = await s1("tasks.get.unknown");
      const hidden = await s1(`tasks.get.${id}`);
      assert.equal(JSON.stringify(hidden), JSON.stringify(unknown).replaceAll("unknown", id));
    }
    for (const body of [{}, { limit: 1 }, { claimed_by: "s2" }, { status: "complete" }]) {
      const { tasks } = await s1("tasks.list", body);
      assert.deepEqual(tasks, []);
    }
    await s1("sessions.register.s1.a", { metadata: { mine: true } });
    const { sessions } = await s1("sessions.list");
    assert.deepEqual(
      sessions.map((one: Json) => [one.session_id, one.metadata]),
      [["s1.a", { mine: true }]],
    );
    // It could claim this one when its time comes.
    assert.equal((await s1("tasks.get.later")).task.redacted, true);
    const claim = await s1("tasks.claim.claimed", { session_id: "s1" });
    assert.deepEqual([claim.error.code, claim.task], ["already_claimed", undefined]);
    const create = await s1("tasks.create.claimed");
    assert.deepEqual([create.error.code, create.task], ["already_exists", undefined]);
    await coordinator.ok("operator.ann.tasks.create.free", { payload: SECRET });
    const { claims } = await s1("tasks.next", { session_id: "s1.a" });
    assert.deepEqual([claims[0].task.task_id, claims[0].task.payload], ["free", SECRET]);
    const end = { session_id: "s1.a", attempt: 1, status: "complete" };
    assert.equal((await s1("tasks.release.free", end)).ok, true);
    const { tasks } = await s1("tasks.list");
    assert.deepEqual(
      tasks.map((one: Json) => one.task_id),
      ["free"],
    );
  });

  it("definitions reads pages of records without content, as large as a reply can be", async () => {
    await using coordinator = await start("definitions");
    const tasks = Array.from({ length: 2_500 }, (_, i) => ({ task_id: `t-${i}`, payload: 1 }));
    for (let i = 0; i < tasks.length; i += 500) {
      await coordinator.ok("operator.ann.tasks.import", { tasks: tasks.slice(i, i + 500) });
    }
    let [cursor, count]: [string | undefined, number] = [undefined, 0];
    do {
      const page: Json = await coordinator.ok("agent.s1.tasks.list", { limit: 1_000, cursor });
      count += (page.tasks as Json[]).length;
      assert.ok(page.tasks.every((one: Json) => one.redacted === true && one.payload === null));
      cursor = page.next_cursor ?? undefined;
    } while (cursor !== undefined);
    assert.equal(count, tasks.length);
  });
});
