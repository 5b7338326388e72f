/** The quick check accepts every record that this version writes, and nothing that the schema refuses. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { isTime } from "../../src/protocol/quick-record-check.ts";
import {
  decodeTask,
  encodeTask,
  passesQuickCheck,
  taskRecord,
} from "../../src/protocol/task-record.ts";
import type { Task } from "../../src/task/task.ts";
import { json, ORIGIN, task } from "./arbitrary-task.ts";

/** Any JSON, and values that are nearly right. */
const wrong = fc.oneof(
  json,
  fc.constantFrom(
    ...["", "a..b", "claimed", "2025-11-12T17:30:00.000Z", "2025-02-30T00:00:00.000Z", "2025"],
    ...["2025-11-12T17:30:00.000+01:00", "task_claimed", "x".repeat(257)],
    ...[-1, 0, 0.5, 1, 4, 5, 86_401, 1_000_001, 2 ** 53, 1e300],
    ...[null, true, [], {}, ["a", ""], ["a", "b..c"], [null]],
    JSON.parse('{"__proto__":1}') as unknown,
  ),
);

type Fields = Record<string, unknown>;

function recordOf(original: Task): Fields {
  return JSON.parse(JSON.stringify(encodeTask({ ...original, unknownFields: null }))) as Fields;
}

describe("the quick check of a task's record", () => {
  it("recognizes every record that this version writes", () => {
    fc.assert(fc.property(task, (original) => passesQuickCheck(recordOf(original))));
  });

  it("accepts nothing that the schema would refuse or change", () => {
    const fields = [...Object.keys(taskRecord.shape), "something else"];
    const ofEvent = ["type", "task_id", "old_status", "new_status", "claimed_by", "session_id"];
    const place = fc.oneof(
      fc.constantFrom(...fields).map((name) => [name]),
      fc
        .constantFrom(...ofEvent, "reason", "timestamp", "more")
        .map((name) => ["last_event", name]),
    );
    const change = fc.option(wrong, { nil: undefined });
    let [passed, refused] = [0, 0];
    fc.assert(
      fc.property(task, place, change, (original, [name = "", inner], value) => {
        const record = recordOf(original);
        const target = inner === undefined ? record : (record[name] as Fields | null);
        if (target === null) return;
        if (value === undefined) Reflect.deleteProperty(target, inner ?? name);
        else target[inner ?? name] = value;
        if (!passesQuickCheck(record)) {
          refused++;
          return;
        }
        passed++;
        assert.deepEqual(taskRecord.parse(record), record);
        if (record.task_id === ORIGIN.taskId) decodeTask(JSON.stringify(record), ORIGIN);
      }),
      { numRuns: 5_000 },
    );
    // Both must be common.
    assert.ok(passed > 500 && refused > 500, `${passed} passed, ${refused} did not`);
  });

  it("leaves a value that is not an object to the schema", () => {
    for (const value of [null, [], "record", 7]) assert.equal(passesQuickCheck(value), false);
  });

  it("knows the times that this version writes, on every day of a year and of a leap year", () => {
    const isWritten = (text: string): boolean => {
      const millis = Date.parse(text);
      return !Number.isNaN(millis) && new Date(millis).toISOString() === text;
    };
    const two = (number: number): string => String(number).padStart(2, "0");
    for (const year of ["0000", "1900", "2000", "2024", "2025", "9999"]) {
      for (let month = 0; month <= 13; month++) {
        for (let day = 0; day <= 32; day++) {
          for (const time of ["00:00:00.000Z", "23:59:59.999Z", "24:00:00.000Z", "12:00:00Z"]) {
            const text = `${year}-${two(month)}-${two(day)}T${time}`;
            assert.equal(isTime(text), isWritten(text), text);
          }
        }
      }
    }
  });
});
