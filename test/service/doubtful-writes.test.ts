import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CoordinatorError } from "../../src/protocol/errors.ts";
import { DoubtfulWrites } from "../../src/service/doubtful-writes.ts";
import type { LoadedTask, TaskEntry, TaskStore } from "../../src/service/ports.ts";
import { availableTask } from "../task/sample-task.ts";

function entry(revision: number, writeId: string, createdRevision = 1): LoadedTask {
  const task = { ...availableTask(), createdRevision };
  return { taskId: task.taskId, revision, task, bytes: 100, writeId };
}

function bucketOf(kept: readonly TaskEntry[]): Pick<TaskStore, "loadFrom"> {
  return {
    loadFrom: (_, from) => Promise.resolve(kept.find(({ revision }) => revision >= from) ?? null),
  };
}

/** A write that was to replace revision `base`, in a bucket that has these records. */
function inDoubt(base: number, kept: readonly TaskEntry[]): DoubtfulWrites {
  const writes = new DoubtfulWrites("task", bucketOf(kept));
  assert.ok(writes.note({ kind: "unknown" }, "own", base));
  return writes;
}

const isUnknown = (error: unknown): boolean =>
  error instanceof CoordinatorError && error.code === "unavailable";

describe("a write in doubt", () => {
  const other = entry(9, "other");

  it("is the current record, or an earlier one", async () => {
    const own = entry(8, "own");
    assert.equal(await inDoubt(5, []).find(own), own);
    assert.equal(await inDoubt(5, [entry(5, "a"), own, other]).find(other), own);
    assert.equal(await inDoubt(0, [entry(7, "a", 7), own, other]).find(other), own);
  });

  it("was not stored if the bucket still has the record that it was to replace", async () => {
    assert.equal(await inDoubt(5, [entry(5, "a"), other]).find(other), null);
    assert.equal(await inDoubt(0, [entry(7, "a", 7), other]).find(other), null);
  });

  it("stays in doubt if the records that would tell are gone", async () => {
    for (const base of [0, 5]) await assert.rejects(inDoubt(base, [other]).find(other), isUnknown);
  });

  it("stays in doubt if the task was removed meanwhile", async () => {
    const marker = { taskId: "task", revision: 9, removed: true } as const;
    for (const base of [0, 5])
      await assert.rejects(inDoubt(base, [marker]).find(marker), isUnknown);
    await assert.rejects(inDoubt(5, []).find(null), isUnknown);
    assert.equal(await inDoubt(0, []).find(null), null);
  });

  it("stays in doubt if the node that answers lacks the current record", async () => {
    await assert.rejects(inDoubt(5, [entry(5, "a")]).find(other), isUnknown);
  });

  it("is one without an acknowledgement, or with one of a node that may not lead", () => {
    const writes = new DoubtfulWrites("task", bucketOf([]));
    assert.ok(!writes.note({ kind: "conflict" }, "a", 1));
    assert.ok(writes.isEmpty);
    assert.ok(writes.note({ kind: "conflict", isDoubtful: true }, "b", 1));
    assert.ok(!writes.isEmpty);
  });
});
