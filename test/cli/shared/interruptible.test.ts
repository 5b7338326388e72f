import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { interruptible } from "../../../src/cli/shared/interruptible.ts";

describe("work that tidies up after Ctrl-C", () => {
  it("is aborted once, and ended at once by a second press, but not by the copy of npx", async (test) => {
    let now = 0;
    test.mock.method(performance, "now", () => now);
    const exits = test.mock.method(process, "exit", () => undefined).mock;
    const errors = test.mock.method(process.stderr, "write", () => true).mock;
    const before = process.listeners("SIGINT").length;
    const work = async (signal: AbortSignal): Promise<string> => {
      // Not by `emit`, which would also interrupt the test runner.
      const press = process.listeners("SIGINT").at(-1) ?? assert.fail();
      press("SIGINT");
      now = 100;
      press("SIGINT");
      assert.equal(exits.callCount(), 0);
      assert.deepEqual([signal.aborted, signal.reason.exitCode], [true, 130]);
      now = 500;
      press("SIGINT");
      return Promise.resolve("tidy");
    };
    assert.equal(await interruptible(work, () => "some tasks are left"), "tidy");
    assert.deepEqual(exits.calls[0]?.arguments, [130]);
    assert.deepEqual(errors.calls[0]?.arguments, ["some tasks are left\n"]);
    assert.equal(process.listeners("SIGINT").length, before);
  });
});
