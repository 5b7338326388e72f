/** With auth.visibility own, nothing tells an agent about the tasks of others that it could not claim. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Json, TestCoordinator } from "./support/test-coordinator.ts";

function start(): Promise<TestCoordinator> {
  return TestCoordinator.start({
    settings: { "auth.mode": "accounts", "auth.visibility": "own" },
  });
}

describe("an agent that sees only its own tasks", () => {
  it("learns of no hidden task that the agent did not name, and counts none by its id or its tags", async () => {
    await using coordinator = await start();
    const s2 = (subject: string, body: object = {}): Promise<Json> =>
      coordinator.ok(`agent.s2.${subject}`, body);
    await coordinator.ok("agent.s1.tasks.create.mine");
    await s2("tasks.create.Hidden-1", { depends_on: ["mine"], tags: ["secret"] });
    await s2("tasks.create.last", { depends_on: ["Hidden-1"] });
    const s1 = (subject: string, body: object = {}): Promise<Json> =>
      coordinator.request(`agent.s1.${subject}`, body);
    const answers = [
      await s1("tasks.claim.last", { session_id: "s1" }),
      await s1("tasks.update.mine", { depends_on: ["last"] }),
      await s1("tasks.create.other", { depends_on: ["hidden-1"] }),
      await s1("tasks.update.other", { depends_on: ["hidden-1"], title: "x" }),
    ];
    assert.doesNotMatch(JSON.stringify(answers), /Hidden/);
    const [claim, cycle] = answers;
    assert.deepEqual([claim?.error.reason, claim?.error.waits_for], ["blocked", undefined]);
    assert.match(cycle?.error.message, /form a cycle, through tasks of others: remove one/);
    await s1("tasks.create.mine-2", { depends_on: ["mine"] });
    const own = await s1("tasks.update.mine", { depends_on: ["mine-2"] });
    assert.deepEqual(own.error.cycle, ["mine", "mine-2", "mine"]);
    const wrong = await s1("tasks.update.other", { depends_on: ["Mine"] });
    assert.match(wrong.warnings[0], /did you mean mine\?/);
    for (const filter of [{ prefix: "Hidden-" }, { prefix: "none-" }, { tags: ["secret"] }]) {
      const { reasons } = await s1("tasks.next", { session_id: "s1", ...filter });
      assert.equal(reasons.blocked, 4, JSON.stringify(filter));
    }
    const whole = { session_id: "s2", prefix: "Hidden-" };
    const { reasons } = await coordinator.ok("operator.ann.tasks.next", whole);
    assert.equal(reasons.blocked, 1);
  });

  it("gets the revisions of others in the changes, without anything else of them", async () => {
    await using coordinator = await start();
    for (let i = 0; i < 12; i++) {
      await coordinator.ok(`agent.s2.tasks.create.other-${i}`, { payload: "other" });
    }
    await coordinator.ok("agent.s1.tasks.create.mine", { payload: "mine" });
    const whole = await coordinator.ok("operator.ann.tasks.changes");
    const seen = await coordinator.ok("agent.s1.tasks.changes");
    assert.deepEqual(
      seen.changes.map(({ revision }: Json) => revision),
      whole.changes.map(({ revision }: Json) => revision),
    );
    const others = seen.changes.slice(0, -1);
    assert.ok(others.length > 10);
    for (const change of others) assert.deepEqual(Object.keys(change), ["revision", "task"]);
    assert.equal(seen.changes.at(-1).task.payload, "mine");
    for (const field of ["last_revision", "complete", "has_more", "bucket_id"]) {
      assert.equal(seen[field], whole[field], field);
    }
  });

  it("pages through its tasks without a cursor that names others", async () => {
    await using coordinator = await start();
    for (let i = 0; i < 12; i++) {
      await coordinator.ok(`agent.s2.tasks.create.other-${i}`);
      if (i % 4 === 0) await coordinator.ok(`agent.s1.tasks.create.mine-${i}`);
    }
    const found: string[] = [];
    let cursor: string | undefined;
    do {
      const page: Json = await coordinator.ok("agent.s1.tasks.list", { limit: 1, cursor });
      assert.doesNotMatch(JSON.stringify(page), /other/);
      found.push(...page.tasks.map((one: Json) => one.task_id));
      cursor = page.next_cursor ?? undefined;
    } while (cursor !== undefined);
    assert.deepEqual(found, ["mine-0", "mine-4", "mine-8"]);
  });
});
