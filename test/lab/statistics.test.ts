import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { median, trendOf } from "../../scripts/lab/statistics.ts";
import { createRandomFor } from "../../src/simulation/random.ts";

const line = (slope: number, noise: (i: number) => number): [number, number][] =>
  Array.from({ length: 12 }, (_, i) => [i, 100 + slope * i + noise(i)]);

describe("the median", () => {
  it("is the value in the middle, or the mean of the two in the middle", () => {
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(median([4, 1, 2, 3]), 2.5);
    assert.ok(Number.isNaN(median([])));
  });
});

describe("the trend of Theil and Sen", () => {
  it("is the slope of a line", () => {
    const trend = trendOf(line(2, () => 0));
    assert.equal(trend?.slope, 2);
    assert.equal(trend.atLeast, 2);
  });

  it("ignores a few outliers", () => {
    const trend = trendOf(line(2, (i) => (i === 3 || i === 11 ? 10_000 : 0)));
    assert.ok(Math.abs((trend?.slope ?? 0) - 2) < 0.01);
  });

  it("has no certain slope where the points may differ by chance", () => {
    for (let seed = 0; seed < 50; seed++) {
      const random = createRandomFor(seed, 0);
      const trend = trendOf(line(0, () => 10 * (random() - 0.5)));
      assert.ok(trend !== null && trend.atLeast < 0.3, `seed ${seed}: ${trend?.atLeast}`);
    }
  });

  it("is unknown for a few points", () => {
    assert.equal(trendOf(line(2, () => 0).slice(0, 7)), null);
  });
});
