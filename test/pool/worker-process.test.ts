import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nodeOptions } from "../../src/pool/worker-process.ts";

describe("the options of Node for the process of a worker", () => {
  it("are those of the command, and a larger young generation", () => {
    assert.deepEqual(nodeOptions(["--no-warnings"], "--no-deprecation"), [
      "--no-warnings",
      "--max-semi-space-size=32",
    ]);
  });

  it("keep the size of the young generation if it is set", () => {
    for (const own of ["--max-semi-space-size=16", "--max_semi_space_size=16"]) {
      assert.deepEqual(nodeOptions([own], ""), [own]);
      assert.deepEqual(nodeOptions([], `--no-warnings ${own}`), []);
    }
  });
});
