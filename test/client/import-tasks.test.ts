import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type ImportedTask, planImport } from "../../src/client/import-tasks.ts";
import { TaskError } from "../../src/client/task-error.ts";
import { CoordinatorError, type ErrorCode } from "../../src/protocol/errors.ts";

const ONE_MEGABYTE = 1024 * 1024;

function refuses(
  tasks: unknown[],
  code: ErrorCode,
  message: RegExp,
  maxBytes = ONE_MEGABYTE,
): void {
  assert.throws(
    () => planImport(tasks as ImportedTask[], maxBytes),
    (error) =>
      error instanceof CoordinatorError && error.code === code && message.test(error.message),
  );
}

describe("the plan of an import", () => {
  it("is one request if everything fits into one", () => {
    const tasks = [{ task_id: "b", depends_on: ["a"] }, { task_id: "a" }];
    assert.deepEqual(planImport(tasks, ONE_MEGABYTE), [[tasks[1], tasks[0]]]);
  });

  it("refuses a value that JSON would change, with its path", () => {
    for (const [payload, path] of [
      [{ score: NaN }, "tasks.1.payload.score"],
      [["a", "\ud800"], "tasks.1.payload.1"],
    ] as const) {
      const tasks = [{ task_id: "a" }, { task_id: "b", payload }];
      assert.throws(
        () => planImport(tasks, ONE_MEGABYTE),
        (error) => error instanceof TaskError && error.details.field === path,
      );
    }
  });

  it("has requests that the server accepts, each after the ones with its dependencies", () => {
    const chain = Array.from({ length: 50 }, (_, i) => ({
      task_id: `t${i}`,
      description: "é".repeat(200),
      depends_on: i === 49 ? [] : [`t${i + 1}`],
    }));
    const maxBytes = 4096;
    const plan = planImport(chain, maxBytes);
    assert.ok(plan.length > 1);
    for (const tasks of plan) {
      const session_id = "s".repeat(256);
      assert.ok(Buffer.byteLength(JSON.stringify({ session_id, tasks })) <= maxBytes);
    }
    const order = plan.flat().map((task) => task.task_id);
    assert.deepEqual(order, chain.map((task) => task.task_id).reverse());
  });

  it("limits the tasks of one request, so that no worker is busy for long", () => {
    const tasks = Array.from({ length: 2_500 }, (_, i) => ({ task_id: `t${i}` }));
    const sizes = planImport(tasks, 64 * ONE_MEGABYTE).map((portion) => portion.length);
    assert.deepEqual(sizes, [1_000, 1_000, 500]);
  });

  it("is refused as a whole for a malformed task at any place", () => {
    const many = Array.from({ length: 2_000 }, (_, i) => ({ task_id: `t${i}` }));
    refuses([...many, { task_id: "last", titel: "" }], "invalid_request", /tasks\.2000\.titel/);
    refuses([{ task_id: "a..b" }], "invalid_request", /^tasks\.0\.task_id: must be a task id/);
    refuses([], "invalid_request", /^tasks: must name at least one task/);
  });

  it("is refused for a cycle, with its path, even if it spans several requests", () => {
    const filler = Array.from({ length: 1_500 }, (_, i) => ({ task_id: `t${i}` }));
    const cycle = [
      { task_id: "a", depends_on: ["b"] },
      ...filler,
      { task_id: "b", depends_on: ["a"] },
    ];
    refuses(cycle, "invalid_request", /cycle: a -> b -> a$/);
  });

  it("is refused for an id that appears twice", () => {
    refuses(
      [{ task_id: "a" }, { task_id: "a" }],
      "invalid_request",
      /^tasks: a is there more than/,
    );
  });

  it("is refused for a task that fits into no request, with its id", () => {
    const large = { task_id: "large", description: "x".repeat(5_000) };
    refuses([{ task_id: "a" }, large], "too_large", /^large has 50\d\d bytes/, 4096);
  });
});
