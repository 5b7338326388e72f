import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CoordinatorError } from "../../src/protocol/errors.ts";
import { DoubtfulWrites } from "../../src/service/doubtful-writes.ts";
import type { LoadedTask } from "../../src/service/ports.ts";
import { availableTask } from "../task/sample-task.ts";

function entry(revision: number, writeId: string, createdRevision = 1): LoadedTask {
  const task = { ...availableTask(), createdRevision };
  return { taskId: task.taskId, revision, task, bytes: 100, writeId };
}

/** A write that was to replace revision `base`, in a bucket that has these records. */
function inDoubt(base: number, kept: readonly LoadedTask[]): DoubtfulWrites {
  const writes = new DoubtfulWrites({ history: () => Promise.resolve([...kept]) });
  assert.ok(writes.note({ kind: "unknown" }, "own", base));
  return writes;
}

describe("a write in doubt", () => {
  const other = entry(9, "other");

  it("is the current record, or an earlier one", async () => {
    const own = entry(8, "own");
    assert.equal(await inDoubt(5, []).find(own), own);
    assert.equal(await inDoubt(5, [entry(5, "a"), own, other]).find(other), own);
  });

  it("was not stored if the bucket still has the record that it was to replace", async () => {
    assert.equal(await inDoubt(5, [entry(5, "a"), other]).find(other), null);
    assert.equal(await inDoubt(0, [entry(7, "a", 7), other]).find(other), null);
  });

  it("stays in doubt if the records that would tell are gone", async () => {
    for (const base of [0, 5]) {
      await assert.rejects(
        inDoubt(base, [other]).find(other),
        (error) => error instanceof CoordinatorError && error.code === "unavailable",
      );
    }
  });

  it("is one without an acknowledgement, or with one of a node that may not lead", () => {
    const writes = new DoubtfulWrites({ history: () => Promise.resolve([]) });
    assert.ok(!writes.note({ kind: "conflict" }, "a", 1));
    assert.ok(writes.isEmpty);
    assert.ok(writes.note({ kind: "conflict", isDoubtful: true }, "b", 1));
    assert.ok(!writes.isEmpty);
  });
});
