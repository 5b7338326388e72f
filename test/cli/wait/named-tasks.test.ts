/** When a wait for named tasks ends, in any order of readings and updates. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseCondition } from "../../../src/cli/wait/condition.ts";
import { NamedTasks, type WaitRules } from "../../../src/cli/wait/named-tasks.ts";

function waiting(ids: string[], rules: Partial<WaitRules> & { for?: string } = {}): NamedTasks {
  const condition = parseCondition(rules.for ?? "finished");
  return new NamedTasks(ids, { condition, any: false, awaitsCreation: false, ...rules });
}

function is(status: string): { status: string; claimed_by: null } {
  return { status, claimed_by: null };
}

describe("a wait for named tasks", () => {
  it("ends when the condition holds for each", () => {
    const tasks = waiting(["a", "b"]);
    tasks.learn("a", 5, is("complete"));
    assert.equal(tasks.outcome(), null);
    tasks.learn("b", 6, is("claimed"));
    assert.equal(tasks.outcome(), null);
    tasks.learn("b", 7, is("failed"));
    assert.equal(tasks.outcome(), "holds");
  });

  it("ignores a reading that is older than an update", () => {
    const tasks = waiting(["a"]);
    tasks.learn("a", 9, is("complete"));
    tasks.learn("a", 8, is("claimed"));
    assert.equal(tasks.outcome(), "holds");
  });

  it("ignores an update that is older than the reading", () => {
    const tasks = waiting(["a"]);
    tasks.learn("a", 9, is("available"));
    tasks.learn("a", 8, is("complete"));
    assert.equal(tasks.outcome(), null);
  });

  it("goes on if a task that was finished is requeued before the others are", () => {
    const tasks = waiting(["a", "b"]);
    tasks.learn("a", 1, is("complete"));
    tasks.learn("b", 2, is("claimed"));
    tasks.learn("a", 3, is("available"));
    tasks.learn("b", 4, is("complete"));
    assert.equal(tasks.outcome(), null);
  });

  it("ends otherwise as soon as one task cannot fulfil the condition any more", () => {
    const tasks = waiting(["a", "b"], { for: "complete" });
    tasks.learn("a", 1, is("claimed"));
    tasks.learn("b", 2, is("cancelled"));
    assert.equal(tasks.outcome(), "ended_otherwise");
  });

  it("with any, ends with the first, and otherwise only if all have ended", () => {
    const tasks = waiting(["a", "b"], { for: "complete", any: true });
    tasks.learn("a", 1, is("failed"));
    tasks.learn("b", 2, is("claimed"));
    assert.equal(tasks.outcome(), null);
    tasks.learn("b", 3, is("complete"));
    assert.equal(tasks.outcome(), "holds");
    tasks.learn("b", 4, is("failed"));
    assert.equal(tasks.outcome(), "ended_otherwise");
  });

  it("ends for a task that does not exist, unless its creation is awaited", () => {
    const tasks = waiting(["a"]);
    tasks.learn("a", 0, null);
    assert.equal(tasks.outcome(), "not_found");
    const patient = waiting(["a"], { awaitsCreation: true });
    patient.learn("a", 0, null);
    assert.equal(patient.outcome(), null);
    patient.learn("a", 1, is("complete"));
    assert.equal(patient.outcome(), "holds");
  });

  it("ends for a task that is removed", () => {
    const tasks = waiting(["a"]);
    tasks.learn("a", 4, is("blocked"));
    tasks.learn("a", 5, null);
    assert.equal(tasks.outcome(), "not_found");
  });

  it("believes lower revisions after the bucket was created again", () => {
    const tasks = waiting(["a"]);
    tasks.learn("a", 900, is("claimed"));
    tasks.forget();
    tasks.learn("a", 3, is("complete"));
    assert.equal(tasks.outcome(), "holds");
  });
});
