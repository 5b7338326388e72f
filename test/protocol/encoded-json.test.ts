import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { bytesOfItem, encodeBody, maxJsonBytes } from "../../src/protocol/encoded-json.ts";
import { EncodedRecord, encodeTask, type TaskRecord } from "../../src/protocol/task-record.ts";
import type { Task } from "../../src/task/task.ts";
import { task as arbitraryTask } from "./arbitrary-task.ts";

const REST = {
  attempt: 2,
  lease: { ttl_seconds: 60, expires_at: "\u00e9\n" },
  held: false,
  none: null,
};

/** Checks it for an encoded record and the record itself. */
function holds(what: string, check: (encoded: EncodedRecord, record: TaskRecord) => void): void {
  it(what, () => {
    fc.assert(
      fc.property(arbitraryTask, (task) => {
        check(new EncodedRecord(task), encodeTask(task));
      }),
    );
  });
}

describe("the JSON of a body with encoded values", () => {
  holds("is that of the body with the values themselves", (encoded, record) => {
    const bodies: ((item: object) => object)[] = [
      (task) => ({ task }),
      (task) => ({ ok: true, task, left_out: undefined, ...REST }),
      (task) => ({ ok: true, tasks: [task, record, null, task], next: "\u00fc" }),
      (task) => ({ ok: true, claims: [{ task, ...REST }, REST, { ...REST, task }], reasons: {} }),
      (task) => ({ ok: true, task, next: { claims: [{ task, ...REST }], reasons: {} } }),
    ];
    for (const bodyOf of bodies) {
      assert.equal(encodeBody(bodyOf(encoded)).toString(), JSON.stringify(bodyOf(record)));
    }
  });

  holds("has the size that its items are said to have", (encoded, record) => {
    const { length } = Buffer.from(JSON.stringify(record));
    assert.deepEqual([bytesOfItem(encoded), bytesOfItem(record)], [length, length]);
    const claim = Buffer.byteLength(JSON.stringify({ task: record, ...REST }));
    assert.equal(bytesOfItem({ task: encoded, ...REST }), claim);
  });

  it("is that of an empty body and of one without encoded values", () => {
    for (const body of [{}, { a: [], b: [1, "x"], c: { d: [{}] } }, { n: 1e21, i: -0, s: 0.5 }]) {
      assert.equal(encodeBody(body).toString(), JSON.stringify(body));
    }
  });
});

describe("the most bytes that a value may take as JSON", () => {
  it("are at least those that it takes", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        assert.ok(maxJsonBytes(value) >= Buffer.byteLength(JSON.stringify(value)));
      }),
    );
  });

  it("are at least those of its record, for a task", () => {
    const isBound = (task: Task): void => {
      assert.ok(maxJsonBytes(task) >= new EncodedRecord(task).bytes.length);
    };
    fc.assert(fc.property(arbitraryTask, isBound));
  });
});
