import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nodeOptions } from "../../src/pool/worker-process.ts";

describe("the options of Node for the process of a worker", () => {
  it("are those of the command, and more room for what is short-lived", () => {
    assert.deepEqual(nodeOptions(["--no-warnings"], "--no-deprecation"), [
      "--no-warnings",
      "--max-semi-space-size=32",
    ]);
  });

  it("leave that room as somebody has chosen it", () => {
    for (const own of ["--max-semi-space-size=16", "--max_semi_space_size=16"]) {
      assert.deepEqual(nodeOptions([own], ""), [own]);
      assert.deepEqual(nodeOptions([], `--no-warnings ${own}`), []);
    }
  });
});
