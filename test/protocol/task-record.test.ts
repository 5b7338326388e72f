/** The record of a task: encoded and decoded, written by hand, and unreadable. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { decodeChanges } from "../../src/protocol/definition-record.ts";
import {
  CorruptRecordError,
  decodeTask,
  encodeTask,
  taskRecord,
} from "../../src/protocol/task-record.ts";
import type { Task } from "../../src/task/task.ts";
import { transition } from "../../src/task/transition.ts";
import { availableTask, claim, CONTEXT } from "../task/sample-task.ts";
import { ORIGIN, task } from "./arbitrary-task.ts";

describe("the record of a task", () => {
  it("is decoded to the task that was encoded, with its unknown fields", () => {
    fc.assert(
      fc.property(task, (original) => {
        const text = JSON.stringify(encodeTask(original));
        assert.deepEqual(decodeTask(text, ORIGIN), original);
      }),
      { numRuns: 500 },
    );
  });

  it("is decoded to fields in the order of a new task, so that all tasks have one hidden class", () => {
    const created = availableTask();
    const decoded = decodeTask(JSON.stringify(encodeTask(created)), ORIGIN);
    assert.deepEqual(Object.keys(decoded), Object.keys(created));
  });

  it("fits the schema of replies", () => {
    fc.assert(
      fc.property(task, (original) => {
        const { error } = taskRecord.safeParse(encodeTask(original));
        assert.equal(error, undefined);
      }),
    );
  });

  it("spells names in snake_case and times in ISO-8601 and UTC", () => {
    const decision = transition(availableTask(), claim("session-1"), CONTEXT);
    assert.ok(decision.kind === "write");
    const record = encodeTask({ ...decision.task, createdRevision: 3 });
    assert.deepEqual(record, {
      task_id: "P0.5.1",
      title: "",
      description: null,
      priority: 2,
      depends_on: [],
      requires: [],
      tags: [],
      metadata: {},
      payload: null,
      max_failures: 3,
      max_lost_leases: 10,
      status: "claimed",
      claimed_by: "session-1",
      claimed_at: "2025-11-12T17:30:00.000Z",
      attempt: 1,
      failures: 0,
      lost_leases: 0,
      not_before: null,
      result: null,
      error: null,
      created_at: "2025-11-12T17:29:59.000Z",
      updated_at: "2025-11-12T17:30:00.000Z",
      completed_at: null,
      completed_by: null,
      last_event: {
        type: "task_claimed",
        task_id: "P0.5.1",
        old_status: "available",
        new_status: "claimed",
        claimed_by: "session-1",
        session_id: "session-1",
        reason: null,
        timestamp: "2025-11-12T17:30:00.000Z",
      },
      ttl_seconds: 300,
      fencing_token: 7,
      created_revision: 3,
    });
  });

  it("is read from a version that did not count lost leases", () => {
    const { max_lost_leases, lost_leases, ...older } = encodeTask(availableTask({ failures: 2 }));
    assert.deepEqual([max_lost_leases, lost_leases], [10, 0]);
    const task = decodeTask(JSON.stringify(older), ORIGIN);
    assert.deepEqual([task.failures, task.lostLeases, task.maxLostLeases], [2, 0, 10]);
  });

  it("keeps unknown fields through a transition, and none replaces a known one", () => {
    const text = JSON.stringify({ title: "t", future: { a: [1] }, attempts: 9 });
    const decision = transition(decodeTask(text, ORIGIN), claim("session-1"), CONTEXT);
    assert.ok(decision.kind === "write");
    const record: Record<string, unknown> = encodeTask(decision.task);
    assert.deepEqual([record.future, record.attempts, record.attempt], [{ a: [1] }, 9, 1]);
    const forged = encodeTask({ ...availableTask(), unknownFields: { status: "complete" } });
    assert.equal(forged.status, "available");
  });
});

describe("a record of a later version", () => {
  const event = {
    ...{ type: "task_paused", task_id: "P0.5.1", old_status: "available", new_status: "paused" },
    ...{ claimed_by: null, session_id: null, reason: null, timestamp: "2025-11-12T17:30:00.000Z" },
    paused_by: { name: "alice" },
  };
  const record = { ...encodeTask(availableTask()), last_event: event };

  it("keeps its event unchanged, with a type, a status and fields that this version does not know", () => {
    const read = decodeTask(JSON.stringify(record), ORIGIN);
    assert.equal(read.lastEvent?.type, "task_paused");
    assert.deepEqual(encodeTask(read).last_event, event);
  });

  it("can be claimed, because the event only describes the past", () => {
    const decision = transition(decodeTask(JSON.stringify(record), ORIGIN), claim("s"), CONTEXT);
    assert.ok(decision.kind === "write");
    assert.equal(encodeTask(decision.task).last_event?.type, "task_claimed");
  });

  it("is refused with a clear error if its status is unknown", () => {
    const text = JSON.stringify({ ...record, status: "paused" });
    assert.throws(() => decodeTask(text, ORIGIN), /Was it written by a newer version\?$/);
  });
});

describe("a record written by hand", () => {
  it("gets the defaults of a new task, and its times and order of creation from its place in the bucket", () => {
    const task = decodeTask('{"title":"Write the docs"}', ORIGIN);
    const expected: Task = {
      ...availableTask(),
      title: "Write the docs",
      createdAt: ORIGIN.writtenAt,
      updatedAt: ORIGIN.writtenAt,
      createdRevision: ORIGIN.revision,
      lastEvent: null,
    };
    assert.deepEqual(task, expected);
  });

  it("is blocked if it has dependencies and no status", () => {
    assert.equal(decodeTask('{"depends_on":["a"]}', ORIGIN).status, "blocked");
    const given = decodeTask('{"depends_on":["a"],"status":"available"}', ORIGIN);
    assert.equal(given.status, "available");
  });

  it("can have times with an offset, and duplicate names", () => {
    const text =
      '{"updated_at":"2025-11-12T19:30:00+02:00","tags":["a","b","a"],"depends_on":["x","x"]}';
    const task = decodeTask(text, ORIGIN);
    assert.equal(task.updatedAt, ORIGIN.writtenAt);
    assert.deepEqual([task.tags, task.dependsOn], [["a", "b"], ["x"]]);
  });

  it("can be claimed", () => {
    const decision = transition(decodeTask("{}", ORIGIN), claim("session-1"), CONTEXT);
    assert.equal(decision.kind, "write");
  });
});

describe("a value that is not a task", () => {
  for (const [text, problem] of [
    ["", /the value is not JSON/],
    ["not json", /the value is not JSON/],
    ["null", /not a task record/],
    ["[]", /not a task record/],
    ['"a task"', /not a task record/],
    ['{"status":"done"}', /status: must be one of blocked, .* written by a newer version\?/],
    ['{"status":"claimed"}', /claimed_by: must name the holder of a claimed task/],
    ['{"status":"claimed","claimed_by":null}', /claimed_by/],
    ['{"attempt":-1}', /attempt/],
    [
      '{"payload":[1970670598291982290]}',
      /^payload\.0: the number 19.* would become .*as a string$/,
    ],
    ['{"future":{"a":1e400}}', /^future\.a: the number 1e400 would become null: send it as a str/],
    ['{"title":"\\ud800"}', /^title: has half of a surrogate pair/],
    ['{"attempt":"1"}', /attempt/],
    ['{"fencing_token":"1"}', /fencing_token/],
    ['{"priority":9}', /priority: must be between 0/],
    ['{"created_at":"yesterday"}', /created_at: must be an ISO-8601 time/],
    ['{"depends_on":["a..b"]}', /depends_on\.0: must be a task id/],
    ['{"last_event":{"type":7}}', /last_event\.type/],
    ['{"task_id":"P0.5.2"}', /task_id is "P0\.5\.2" but its key is "P0\.5\.1"/],
  ] as const) {
    it(`is refused with the reason: ${text === "" ? "nothing" : text}`, () => {
      assert.throws(
        () => decodeTask(text, ORIGIN),
        (error) => error instanceof CorruptRecordError && problem.test(error.message),
      );
    });
  }

  it("is the only error that decoding throws", () => {
    const record = fc
      .dictionary(fc.constantFrom(...Object.keys(taskRecord.shape), "x"), fc.jsonValue())
      .map((value) => JSON.stringify(value));
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), record), (text) => {
        try {
          const task = decodeTask(text, ORIGIN);
          assert.deepEqual(decodeTask(JSON.stringify(encodeTask(task)), ORIGIN), task);
        } catch (error) {
          assert.ok(error instanceof CorruptRecordError, String(error));
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("the changes of an update", () => {
  it("contain only the named fields, so that the others keep their values", () => {
    assert.deepEqual(decodeChanges({ title: "New", depends_on: ["a", "a"], payload: null }), {
      title: "New",
      dependsOn: ["a"],
      payload: null,
    });
    assert.deepEqual(decodeChanges({ description: null, tags: undefined }), { description: null });
  });
});
