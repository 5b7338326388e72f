/** The delay after a failed attempt. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { retryDelayMs } from "../../src/task/retry-policy.ts";

const POLICY = { baseMs: 1_000, maxMs: 60_000 };

describe("the delay after a failure", () => {
  it("is between one half and all of a base that doubles up to the maximum", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.string(),
        fc.nat(),
        (failures, taskId, attempt) => {
          const full = Math.min(POLICY.maxMs, POLICY.baseMs * 2 ** (failures - 1));
          const delay = retryDelayMs(POLICY, failures, taskId, attempt);
          assert.ok(Number.isInteger(delay));
          assert.ok(delay >= full / 2 && delay <= full, `${delay} of ${full}`);
        },
      ),
    );
  });

  it("is the same for every worker that computes it", () => {
    assert.equal(retryDelayMs(POLICY, 2, "P0.5.1", 2), retryDelayMs(POLICY, 2, "P0.5.1", 2));
  });

  it("spreads tasks that failed together evenly", () => {
    const tenths = new Array<number>(10).fill(0);
    for (let i = 0; i < 1_000; i++) {
      const share = (retryDelayMs(POLICY, 1, `P0.5.${i}`, 1) - 500) / 500;
      const tenth = Math.min(9, Math.floor(share * 10));
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    for (const count of tenths) assert.ok(count > 60 && count < 140, tenths.join(" "));
  });

  it("differs from attempt to attempt of one task", () => {
    const delays = [1, 2, 3, 4, 5].map((attempt) => retryDelayMs(POLICY, 1, "P0.5.1", attempt));
    assert.equal(new Set(delays).size, delays.length);
  });

  it("is 0 when the base is 0", () => {
    assert.equal(retryDelayMs({ baseMs: 0, maxMs: 60_000 }, 5, "P0.5.1", 5), 0);
  });
});
