/** Results and errors that can never be stored fail the task, because another attempt would be of no use. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { TaskHandler } from "../../src/client/task-handler.ts";
import { Library } from "../support/library.ts";
import { errorOf } from "../support/stand-in.ts";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

/** Runs a worker with the handler for the task `a` until there is nothing to do. Returns the record. */
async function runOf(handler: TaskHandler, definition: object = {}): Promise<Json> {
  await using coordinator = await TestCoordinator.start({ settings: { "retry.base_ms": 60_000 } });
  await coordinator.ok("tasks.create.a", { max_failures: 5, ...definition });
  await using library = await Library.connect(coordinator);
  const options = { session: "s1", stopWhenIdle: true, waitSeconds: 0 };
  await library.coordinator.work(options, handler).done;
  return (await coordinator.ok("tasks.get.a")).task;
}

const cycle: { self?: unknown } = {};
cycle.self = cycle;
const UNFIT: Readonly<Record<string, readonly [value: unknown, problem: RegExp]>> = {
  "a BigInt": [
    { rows: [{ id: 1n }] },
    /result: .*: rows\.0\.id: is a BigInt: give it as a string$/,
  ],
  NaN: [{ score: NaN }, /result: .*: score: is NaN, which is not a JSON number/],
  Infinity: [[1, Infinity], /result: .*: 1: is Infinity/],
  "a cycle": [cycle, /result: .*: self: is circular/],
  "a function": [() => 1, /result: must be something that JSON can express/],
  "half of a surrogate pair": [{ file: "\udc80.txt" }, /result: .*: file: has half of a surrogate/],
  "too many levels": [nested(70), /nested more than 64 levels/],
  "more than a record takes": ["x".repeat(70_000), /over the limit of 65536/],
  "more than NATS carries": ["x".repeat(1_100_000), /1048576/],
};

describe("a result that can never be stored", () => {
  for (const [what, [value, problem]] of Object.entries(UNFIT)) {
    it(`fails the task at once, and says why: ${what}`, async () => {
      let runs = 0;
      const task = await runOf(() => {
        runs++;
        return value;
      });
      assert.deepEqual([task.status, task.failures, runs], ["failed", 1, 1]);
      assert.match(task.error.message as string, /^the result of a can never be stored: /);
      assert.match(task.error.message as string, problem);
    });
  }

  it("is not one of which JSON.stringify only leaves parts out", async () => {
    const shared = { n: 1 };
    const task = await runOf(() => ({
      none: undefined,
      call: () => 1,
      a: shared,
      b: shared,
      c: null,
    }));
    assert.deepEqual(
      [task.status, task.result],
      ["complete", { a: { n: 1 }, b: { n: 1 }, c: null }],
    );
  });

  it("is an error in a loop, whose claim is still held", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    await using library = await Library.connect(coordinator);
    for await (const claim of library.coordinator.claims({ session: "s1", stopWhenIdle: true })) {
      const { details } = await errorOf(claim.complete({ id: 1n }), "invalid_request");
      assert.equal(details.field, "result");
      const { message } = await errorOf(claim.complete("x".repeat(70_000)), "too_large");
      assert.match(message, /^the result of a can never be stored: .* over the limit of 65536/);
      assert.equal(claim.isOver, false);
      await claim.fail(message, { retry: false });
    }
    const { task } = await coordinator.ok("tasks.get.a");
    assert.equal(task.status, "failed");
  });
});

describe("a thrown value that can never be stored", () => {
  for (const value of [{ id: 1n }, "x".repeat(70_000), { text: "\ud800" }]) {
    it(`fails the task at once, and says why: ${typeof value}`, async () => {
      const task = await runOf(() => {
        // Anything can be thrown.
        throw value as unknown as Error;
      });
      assert.deepEqual([task.status, task.failures], ["failed", 1]);
      assert.match(task.error.message as string, /^what was thrown cannot be stored: /);
    });
  }

  it("is never an Error: the record keeps as much of it as fits, and the task is tried again", async () => {
    const task = await runOf(() => {
      throw new RangeError("\ud800é".repeat(50_000));
    });
    assert.deepEqual([task.status, task.failures], ["available", 1]);
    const { name, message } = task.error as { name: string; message: string };
    assert.equal(name, "RangeError");
    assert.match(message, /^\ufffdé.*\.\.\. \(91808 more characters\)$/);
  });

  it("fails the task without an error text if its record has no room for it", async () => {
    const full = { payload: "x".repeat(64_900) };
    const task = await runOf(() => {
      throw new Error("x".repeat(1_000));
    }, full);
    assert.deepEqual([task.status, task.failures, task.error], ["failed", 1, null]);
  });
});

function nested(levels: number): unknown {
  return levels === 0 ? 1 : [nested(levels - 1)];
}
