import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatOptions, parseOptions } from "../../scripts/chaos/options.ts";

describe("the options of npm run chaos", () => {
  it("have defaults", () => {
    const { seed, ...options } = parseOptions([]) ?? assert.fail();
    assert.ok(seed >= 0);
    assert.deepEqual(options, {
      ...{ durationMs: 60_000, nodes: 3, workers: 3, sessions: 20 },
      ...{ namespaces: true, faults: null, secured: false },
    });
  });

  it("restrict a run to some faults, and to one host", () => {
    const options = parseOptions(["--no-namespaces", "--faults", "kill a node, full disk"]);
    assert.equal(options?.namespaces, false);
    assert.deepEqual(options.faults, ["kill a node", "full disk"]);
  });

  it("suggest the fault that was probably meant", () => {
    assert.throws(() => parseOptions(["--faults", "full dis"]), /did you mean full disk\?/);
  });

  it("list the faults", () => {
    assert.equal(parseOptions(["--list-faults"]), null);
  });

  it("are printed in a form that repeats the run", () => {
    const args = ["--seed", "7", "--nodes", "1", "--workers", "2", "--sessions", "8"];
    const more = ["--duration", "8s", "--no-namespaces", "--faults", "kill a node,full disk"];
    const options = parseOptions([...args, ...more]) ?? assert.fail();
    const [last = "", ...words] = [...args, ...more].reverse();
    assert.equal(formatOptions(options), `${words.reverse().join(" ")} "${last}"`);
  });

  for (const args of [
    ["--faults", "no such fault"],
    ["--duration", "8"],
    ["--nodes", "2"],
    ["--workers", "0"],
    ["--seed", "x"],
  ]) {
    it(`refuse ${args.join(" ")}`, () => {
      assert.throws(() => parseOptions(args), new RegExp(`${args.join(" ")}: takes .+ --help`));
    });
  }
});
