import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatOptions, parseOptions } from "../../scripts/soak/options.ts";

describe("the options of a soak run", () => {
  it("have defaults, and a random seed", () => {
    const { seed, ...options } = parseOptions([]);
    assert.ok(Number.isSafeInteger(seed));
    assert.deepEqual(options, {
      durationMs: 1_200_000,
      nodes: 3,
      workers: 3,
      sessions: 6,
      report: "soak-report.html",
    });
  });

  it("are printed in a form that repeats the run", () => {
    const args = ["--seed", "7", "--nodes", "1", "--workers", "2", "--sessions", "0"];
    const options = parseOptions([...args, "--duration", "2h"]);
    assert.equal(options.durationMs, 7_200_000);
    assert.deepEqual(parseOptions(formatOptions(options).split(" ")), options);
  });

  for (const args of [
    ["--nodes", "2"],
    ["--workers", "0"],
    ["--duration", "20"],
    ["--duration", "0s"],
    ["--seed", "1.5"],
    ["--sessions", "-1"],
  ]) {
    it(`are refused with the cure: ${args.join(" ")}`, () => {
      assert.throws(() => parseOptions(args), new RegExp(`${args.join(" ")}: takes .+ --help`));
    });
  }
});
