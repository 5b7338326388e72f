import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Cleanup, startWithCleanup } from "../src/cleanup.ts";

describe("a cleanup", () => {
  it("undoes the steps in reverse order, once", async () => {
    const undone: string[] = [];
    const cleanup = new Cleanup();
    cleanup.defer(step("first", undone));
    cleanup.use({ [Symbol.asyncDispose]: step("second", undone) });
    await cleanup[Symbol.asyncDispose]();
    await cleanup[Symbol.asyncDispose]();
    assert.deepEqual(undone, ["second", "first"]);
  });

  it("carries out the other steps if one fails, and throws the first error", async () => {
    const undone: string[] = [];
    const cleanup = new Cleanup();
    cleanup.defer(step("first", undone));
    cleanup.defer(() => Promise.reject(new Error("the second failure")));
    cleanup.defer(() => Promise.reject(new Error("the first failure")));
    await assert.rejects(cleanup[Symbol.asyncDispose](), /the first failure/);
    assert.deepEqual(undone, ["first"]);
  });
});

describe("a start with a cleanup", () => {
  it("leaves the cleanup to the caller if it succeeds", async () => {
    const undone: string[] = [];
    const cleanup = await startWithCleanup((added) => {
      added.defer(step("started", undone));
      return Promise.resolve(added);
    });
    assert.deepEqual(undone, []);
    await cleanup[Symbol.asyncDispose]();
    assert.deepEqual(undone, ["started"]);
  });

  it("undoes what it has started if it fails, and throws its own error", async () => {
    const undone: string[] = [];
    const started = startWithCleanup((cleanup) => {
      cleanup.defer(step("started", undone));
      cleanup.defer(() => Promise.reject(new Error("the cleanup fails")));
      return Promise.reject(new Error("the start fails"));
    });
    await assert.rejects(started, /the start fails/);
    assert.deepEqual(undone, ["started"]);
  });
});

function step(name: string, undone: string[]): () => Promise<void> {
  return () => {
    undone.push(name);
    return Promise.resolve();
  };
}
