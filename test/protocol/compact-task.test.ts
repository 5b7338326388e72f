/** A compact task is the same task, whether its record was recognized or parsed, and however long ago. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { CompactTask } from "../../src/protocol/compact-task.ts";
import { LARGE_RECORD_BYTES, NO_CONTENT } from "../../src/protocol/left-out.ts";
import { readRecordTexts } from "../../src/protocol/record-texts.ts";
import { CorruptRecordError, decodeTask, encodeTask } from "../../src/protocol/task-record.ts";
import type { Task } from "../../src/task/task.ts";
import {
  availableTask,
  blockedTask,
  claim,
  claimedTask,
  NOW,
  written,
} from "../task/sample-task.ts";
import { ORIGIN, task } from "./arbitrary-task.ts";

const { taskId } = ORIGIN;

function recordOf(original: Task): string {
  return JSON.stringify(encodeTask(original));
}

function isRecognized(record: string): boolean {
  return readRecordTexts(record, ORIGIN) !== null;
}

/** Packs all tasks that are whole now. */
function useManyOthers(): void {
  for (let i = 0; i < 1_024; i++) CompactTask.of(availableTask({ taskId: `other-${i}` }), i + 1);
}

const OUTLINE = [
  ...["status", "priority", "dependsOn", "requires", "tags", "claimedBy", "claimRequest"],
  ...["claimInstance", "ttlSeconds", "attempt", "fencingToken", "leaseEpoch", "notBefore"],
  ...["createdRevision", "createdBy"],
] as const;

function assertSame(compact: CompactTask, expected: Task): void {
  const outlineOf = (fields: object): unknown =>
    Object.fromEntries(OUTLINE.map((name) => [name, fields[name as keyof object]]));
  assert.deepEqual(outlineOf(compact), outlineOf(expected));
  assert.deepEqual(compact.task, expected);
}

describe("a compact task", () => {
  it("is the task that parsing its record gives", () => {
    fc.assert(
      fc.property(task, (original) => {
        const record = recordOf(original);
        assertSame(CompactTask.read(record, ORIGIN), decodeTask(record, ORIGIN));
      }),
      { numRuns: 1_000 },
    );
  });

  it("recognizes the records of most tasks without parsing them", () => {
    const payload = { steps: [{ name: 'say "hi"\n', minutes: -2.5 }], isUrgent: true };
    const tags = ["docs", "später"];
    const records: Task[] = [
      availableTask({ taskId }),
      availableTask({ taskId, payload, tags, requires: ["gpu"], notBefore: NOW }),
      blockedTask({ taskId, dependsOn: ["a", "P0.5.2"] }),
      claimedTask({ taskId, ttlSeconds: 300, claimRequest: "s1:7", claimInstance: "one" }),
      availableTask({ taskId, createdBy: 'session.böse "x"' }),
      written(
        availableTask({ taskId, createdBy: "agent.s1" }),
        claim("s1", { principal: "agent.s1" }),
      ),
      claimedTask({ taskId, fencingToken: 9, leaseEpoch: 2, cancelRequested: true }),
      availableTask({ taskId, status: "complete", result: payload, completedAt: NOW }),
    ];
    for (const original of records) {
      const record = recordOf({ ...original, createdRevision: 3 });
      assert.ok(isRecognized(record), record);
      assertSame(CompactTask.read(record, ORIGIN), decodeTask(record, ORIGIN));
    }
  });

  it("recognizes nothing that parsing would refuse or read in another way", () => {
    const characters = ['"', "\\", "{", "}", "[", "]", ",", ":", "0", "1", "9", "-", ".", "e", " "];
    const pieces = [
      ...characters,
      "\n",
      "null",
      "\\u0041",
      "\\ud800",
      '"__proto__":1,',
      "99999999",
    ];
    const change = fc.record({
      at: fc.nat(),
      removed: fc.integer({ min: 0, max: 3 }),
      added: fc.constantFrom("", ...pieces),
    });
    let recognized = 0;
    fc.assert(
      fc.property(task, change, (original, { at, removed, added }) => {
        const values = { metadata: { project: "x" }, payload: [1, { n: "y" }], result: null };
        const record = recordOf({ ...original, ...values, error: 7, unknownFields: null });
        const start = at % record.length;
        const changed = record.slice(0, start) + added + record.slice(start + removed);
        if (!isRecognized(changed)) return;
        recognized++;
        assertSame(CompactTask.read(changed, ORIGIN), decodeTask(changed, ORIGIN));
      }),
      { numRuns: 10_000 },
    );
    assert.ok(recognized > 300, `${recognized} recognized`);
  });

  it("leaves values at the limits to the parser", () => {
    const limits: Partial<Task>[] = [
      { payload: 12_345_678_901_234_567 },
      { payload: JSON.parse('{"__proto__":1}') },
      { title: "x".repeat(70_000) },
      { createdAt: Date.UTC(2024, 1, 29) },
      { tags: [""] },
      { claimedBy: "s1" },
    ];
    for (const changes of limits) {
      const record = recordOf(availableTask({ taskId, ...changes }));
      assert.equal(isRecognized(record), false, record.slice(0, 700));
    }
    const other = recordOf(availableTask({ taskId: "another" }));
    assert.throws(() => CompactTask.read(other, ORIGIN), CorruptRecordError);
  });

  it("soon gives up on a long record that it does not recognize", () => {
    const payload = Array.from({ length: 5_000 }, (_, i) => [i, -i, i / 8, String(i)]);
    const createdAt = Date.UTC(2024, 1, 29);
    for (const long of [payload.flat().slice(0, 8_000), payload.slice(0, 2_000)]) {
      const record = recordOf(availableTask({ taskId, payload: long }));
      assert.ok(isRecognized(record) && record.length > 30_000);
      assert.equal(
        isRecognized(recordOf(availableTask({ taskId, payload: long, createdAt }))),
        false,
      );
    }
  });

  it("is the same task after many others have been used", () => {
    fc.assert(
      fc.property(task, (original) => {
        const compact = CompactTask.of(original, 7);
        assert.equal(compact.task, original);
        useManyOthers();
        assertSame(compact, original);
      }),
      { numRuns: 100 },
    );
  });

  it("has all but its content if its record is large, and then cannot be encoded", () => {
    const large = LARGE_RECORD_BYTES + 1;
    fc.assert(
      fc.property(task, (original) => {
        const record = recordOf(original);
        for (const compact of [
          CompactTask.of(original, ORIGIN.revision, large),
          CompactTask.read(record, ORIGIN, large),
        ]) {
          if (compact.isWhole) {
            assert.deepEqual(compact.task, decodeTask(record, ORIGIN));
            continue;
          }
          const { createdRevision } = compact;
          assertSame(compact, { ...original, createdRevision, ...NO_CONTENT });
          assert.throws(() => JSON.stringify(encodeTask(compact.task)), /content .* is left out/);
        }
      }),
      { numRuns: 300 },
    );
    assert.equal(CompactTask.of(availableTask(), 7, large).isWhole, false);
    assert.equal(CompactTask.of(availableTask(), 7, large - 1).isWhole, true);
  });

  it("keeps the tasks that were used last, and those that it cannot pack", () => {
    const first = CompactTask.of(claimedTask(), 7);
    const future = CompactTask.of(claimedTask({ unknownFields: { color: "red" } }), 8);
    const [packed, whole] = [first.task, future.task];
    useManyOthers();
    assert.notEqual(first.task, packed);
    assert.equal(first.task, first.task);
    assert.equal(future.task, whole);
  });

  it("adds the revision to the first record of a task, which cannot contain it", () => {
    const compact = CompactTask.of(availableTask({ createdRevision: null }), 7);
    assert.deepEqual([compact.createdRevision, compact.task.createdRevision], [7, 7]);
  });

  it("has the time of the last record of a finished task only", () => {
    const complete = availableTask({ status: "complete", updatedAt: NOW, taskId });
    assert.equal(CompactTask.of(complete, 7).finishedAt, NOW);
    assert.equal(CompactTask.read(recordOf(complete), ORIGIN).finishedAt, NOW);
    assert.equal(CompactTask.of(availableTask(), 7).finishedAt, null);
  });
});
