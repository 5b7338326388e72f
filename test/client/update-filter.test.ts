import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkOptions } from "../../src/client/check-options.ts";
import { SUBSCRIBE_OPTIONS, type SubscribeOptions } from "../../src/client/coordinator-options.ts";
import { LiveChange, type TaskUpdate, toUpdate } from "../../src/client/task-update.ts";
import { compileFilter, type UpdateFilter } from "../../src/client/update-filter.ts";
import { TaskError } from "../../src/client/task-error.ts";

const record = { title: "by hand", status: "claimed", claimed_by: "s1" };
const change = new LiveChange({
  taskId: "P0.a",
  revision: 3,
  writtenAt: 0,
  text: JSON.stringify(record),
});

it("a record with a number that cannot be kept is not a task, also if a coordinator wrote it", () => {
  const own = { task_id: "P0.a", attempt: 1, last_event: { type: "task_claimed" }, ...record };
  for (const written of [record, own]) {
    const text = JSON.stringify({ ...written, payload: 0 }).replace(":0}", ":9007199254740993}");
    const { task } = new LiveChange({ taskId: "P0.a", revision: 3, writtenAt: 0, text });
    assert.equal(task, null);
  }
});

/** `P0.a`, claimed by `s1`. */
function update(fields: Partial<TaskUpdate> = {}): TaskUpdate {
  assert.ok(change.task);
  const claimed = { type: "task_claimed", session_id: "s1" } as const;
  return { ...toUpdate(change, change.task, false), ...claimed, ...fields };
}

function wants(filter: UpdateFilter, one = update()): boolean {
  const compiled = compileFilter(filter);
  return compiled.wantsTask(one.task_id) && compiled.wants(one);
}

function check(options: object): void {
  checkOptions(options as SubscribeOptions, SUBSCRIBE_OPTIONS);
}

describe("a filter of updates", () => {
  const cases: [UpdateFilter, boolean][] = [
    [{}, true],
    [{ prefix: "" }, true],
    [{ prefix: "P0." }, true],
    [{ prefix: "P0.a" }, true],
    [{ prefix: "P0.a.b" }, false],
    [{ prefix: "0." }, false],
    [{ status: "claimed" }, true],
    [{ status: "available" }, false],
    [{ status: ["available", "claimed"] }, true],
    [{ status: [] }, false],
    [{ session: "s1" }, true],
    [{ session: "s" }, false],
    [{ session: ["s2", "s1"] }, true],
    [{ type: "task_claimed" }, true],
    [{ type: ["task_created", "task_cancelled"] }, false],
    [{ prefix: "P0", status: "claimed", session: "s1", type: "task_claimed" }, true],
    [{ prefix: "P0", status: "claimed", session: "s2", type: "task_claimed" }, false],
    [{ prefix: "P1", status: "claimed", session: "s1", type: "task_claimed" }, false],
  ];
  for (const [filter, wanted] of cases) {
    it(`${wanted ? "wants" : "does not want"} a claim with ${JSON.stringify(filter)}`, () => {
      assert.equal(wants(filter), wanted);
    });
  }

  it("compares the status after the transition", () => {
    const completed = update({ old_status: "claimed", new_status: "complete" });
    assert.equal(wants({ status: "complete" }, completed), true);
    assert.equal(wants({ status: "claimed" }, completed), false);
  });

  it("compares the session that caused the transition and the one that holds the task", () => {
    const cancelling = update({ session_id: "s2", claimed_by: "s1" });
    assert.equal(wants({ session: "s1" }, cancelling), true);
    assert.equal(wants({ session: "s2" }, cancelling), true);
    assert.equal(wants({ session: "s3" }, cancelling), false);
  });

  it("does not take a missing session for any session", () => {
    const created = update({ session_id: null, claimed_by: null });
    assert.equal(wants({}, created), true);
    for (const session of ["", "s1", "null"]) assert.equal(wants({ session }, created), false);
  });

  it("is refused if a part is unknown, and the error names the known ones", () => {
    const filter = { statuses: "claimed" };
    assert.throws(() => {
      check({ filter });
    }, /filter\.statuses: is not an option.*prefix, status, session, type/);
  });

  it("is refused if a value is unknown, and the error names the known ones", () => {
    const filter = { status: "done" };
    assert.throws(() => {
      check({ filter });
    }, /filter\.status: must be one of .*complete/);
  });
});

describe("the beginning of a subscription", () => {
  it("is now, the beginning, or a revision", () => {
    for (const since of ["now", "beginning", 0, 7, Number.MAX_SAFE_INTEGER, undefined] as const) {
      check({ since });
    }
    for (const since of [-1, 0.5, NaN, Infinity, 2 ** 53, "7", "", null, {}, true]) {
      assert.throws(
        () => {
          check({ since });
        },
        (error) => error instanceof TaskError && error.details.field === "since",
      );
    }
  });
});
