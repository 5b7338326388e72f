import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { listOfRows, parseOptions } from "../../scripts/attack/options.ts";
import { isFailure } from "../../scripts/attack/report.ts";
import { ROWS } from "../../scripts/attack/rows.ts";
import type { RowResult } from "../../scripts/attack/run-row.ts";

describe("the options of npm run attack", () => {
  it("choose all attacks in both modes by default", () => {
    const rows = ROWS.map(({ name }) => name);
    const rest = { short: false, untimed: false, dist: null, json: null };
    assert.deepEqual(parseOptions([]), { rows, modes: ["open", "secured"], seconds: 15, ...rest });
    assert.equal(new Set(rows).size, rows.length);
  });

  it("choose some attacks, and a short run", () => {
    const options = parseOptions(["--only", "changes, parked", "--short", "--mode", "secured"]);
    assert.deepEqual(options?.rows, ["changes", "parked"]);
    assert.deepEqual([options.modes, options.seconds], [["secured"], 3]);
  });

  it("list the attacks", () => {
    assert.equal(parseOptions(["--list"]), null);
    assert.equal(listOfRows().length, ROWS.length);
  });
});

describe("an attack", () => {
  const failing = { findings: [{ promise: "", holds: false, seen: "" }] };

  it("that did harm is a failure, unless nothing is promised in its mode", () => {
    const result = (notPromised: string | null): RowResult =>
      ({ ...failing, notPromised }) as unknown as RowResult;
    assert.equal(isFailure(result(null)), true);
    assert.equal(isFailure(result("everyone is an operator")), false);
  });
});
