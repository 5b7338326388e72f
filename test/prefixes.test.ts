/** Prefixes of ids belong to principals. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Kvm } from "@nats-io/kv";
import { type Json, TestCoordinator } from "./support/test-coordinator.ts";

/** Writes the rules and waits until the workers have them. */
async function giveRules(
  coordinator: TestCoordinator,
  rules: Readonly<Record<string, object>>,
  workers = 1,
): Promise<void> {
  const bucket = await new Kvm(coordinator.connection).open("principals");
  for (const [principal, value] of Object.entries(rules)) {
    await bucket.put(principal, JSON.stringify(value));
  }
  // Each worker reports the entry that cannot be read, which is the last one that it takes in.
  let reports = 0;
  const seen = coordinator.fact(
    "warning",
    ({ message }) => message.includes("agent.end-of-rules") && ++reports === workers,
  );
  await bucket.put("agent.end-of-rules", "not JSON");
  await seen;
}

async function forbiddenId(coordinator: TestCoordinator, subject: string): Promise<string> {
  const { code, field, message } = await coordinator.refused(subject);
  assert.deepEqual([code, field], ["forbidden", "task_id"]);
  return message as string;
}

describe("a prefix", () => {
  it("keeps ids for its owners and for operators", async () => {
    await using coordinator = await TestCoordinator.start();
    await giveRules(coordinator, { "agent.s1": { prefixes: ["s1.", "team."] } });
    await coordinator.ok("agent.s1.tasks.create.s1.a");
    await coordinator.ok("agent.s1.tasks.create.team.a");
    await coordinator.ok("operator.ann.tasks.create.s1.b");
    await coordinator.ok("tasks.create.s1.c");
    await coordinator.ok("agent.s2.tasks.create.free");
    assert.equal(
      await forbiddenId(coordinator, "agent.s2.tasks.create.s1.d"),
      "task_id: s1.d belongs to agent.s1: choose an id with another beginning",
    );
    assert.equal(
      await forbiddenId(coordinator, "agent.s1.tasks.create.free2"),
      "task_id: free2 does not belong to agent.s1: use an id that begins with s1. or team., or name none",
    );
    const named = { task_id: "s1.d" };
    assert.equal((await coordinator.refused("agent.s2.tasks.create", named)).code, "forbidden");
    assert.equal((await coordinator.refused("tasks.get.s1.d")).code, "not_found");
  });

  it("is what the ids begin with that a worker makes for its owner", async () => {
    await using coordinator = await TestCoordinator.start();
    await giveRules(coordinator, {
      "agent.s1": { prefixes: ["s1.", "team."] },
      "operator.ann": { prefixes: ["board."] },
    });
    const idOf = async (root: string): Promise<string> =>
      (await coordinator.ok(`${root}tasks.create`)).task.task_id as string;
    assert.match(await idOf("agent.s1."), /^s1\.task-/);
    for (const root of ["agent.s2.", "operator.ann.", ""]) assert.match(await idOf(root), /^task-/);
    await forbiddenId(coordinator, "agent.s2.tasks.create.board.a");
  });

  it("of an import says whose the tasks are that are there already", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("agent.s2.tasks.create.a", { payload: "of s2" });
    await coordinator.ok("tasks.create.b", { payload: "of nobody" });
    await coordinator.ok("tasks.create.c");
    const tasks = ["a", "b", "c", "d"].map((task_id) => ({ task_id }));
    const reply: Json = await coordinator.ok("operator.ann.tasks.import", { tasks });
    assert.deepEqual(reply.conflicting, ["a", "b"]);
    assert.deepEqual(reply.conflicts, [
      { task_id: "a", created_by: "agent.s2" },
      { task_id: "b", created_by: null },
    ]);
    assert.deepEqual([reply.unchanged, reply.created], [["c"], ["d"]]);
  });

  it("holds on every worker, from its start, and ends with its entry", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 2 });
    await giveRules(coordinator, { "agent.s1": { prefixes: ["s1."] } }, 2);
    await coordinator.addWorkers(2);
    for (let i = 0; i < 20; i++) await forbiddenId(coordinator, `agent.s2.tasks.create.s1.${i}`);
    const bucket = await new Kvm(coordinator.connection).open("principals");
    await bucket.purge("agent.s1");
    await coordinator.until("agent.s2.tasks.create.s1.a", ({ ok }) => ok === true);
  });
});

describe("a list of tasks", () => {
  it("shows those that somebody has created", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("agent.s1.tasks.create.a");
    await coordinator.ok("agent.s2.tasks.create.b");
    await coordinator.ok("tasks.create.c", { session_id: "lead" });
    await coordinator.ok("tasks.create.d");
    for (const [created_by, ids] of [
      ["agent.s1", ["a"]],
      ["session.lead", ["c"]],
      ["agent.s", []],
    ] as const) {
      const { tasks } = await coordinator.ok("tasks.list", { created_by });
      assert.deepEqual(
        tasks.map(({ task_id }: Json) => task_id),
        ids,
      );
    }
  });
});
