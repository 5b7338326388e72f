/** Proves that the verdict of `npm run soak` can fail: series that grow, and series that only seem to grow. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Rule, Series } from "../../scripts/soak/series.ts";
import { judge, type Judgement } from "../../scripts/soak/verdict.ts";
import { createRandomFor } from "../../src/simulation/random.ts";

/** For a run of 20 minutes with a sample every 5 seconds. */
const PHASES = {
  quietBefore: { from: 70, to: 90 },
  load: { from: 90, to: 1290 },
  quietAfter: { from: 1400, to: 1420 },
};
const END = 1420;
const EVERY = 5;

const RETURNS: Rule = { kind: "returns", slack: 2 };
const STEADY: Rule = { kind: "steady", noise: 8 };

function series(rule: Rule | null, value: (at: number) => number, births: number[] = []): Series {
  const group = { title: "Figure", unit: "" };
  const points = Array.from(
    { length: END / EVERY + 1 },
    (_, i) => [i * EVERY, value(i * EVERY)] as const,
  );
  return { name: "w1", group, rule, points, births };
}

function verdictOf(of: Series): Judgement["verdict"] | undefined {
  return judge([of], PHASES)[0]?.verdict;
}

/** Memory under a garbage collector: it rises by `rise` and falls back every `seconds`. */
function sawtooth(rise: number, seconds: number): (at: number) => number {
  return (at) => 100 + rise * ((at % seconds) / seconds);
}

describe("a series that has to return to its level", () => {
  it("may have any value under load", () => {
    const isLoad = (at: number): boolean => at >= 90 && at < 1300;
    assert.equal(verdictOf(series(RETURNS, (at) => (isLoad(at) ? 90 : 20))), "ok");
  });

  it("grows if each fault leaves a descriptor open", () => {
    const [leak] = judge([series(RETURNS, (at) => 20 + Math.floor(at / 240))], PHASES);
    assert.equal(leak?.verdict, "grows");
    assert.deepEqual([leak.start, leak.end], [20, 25]);
  });

  it("may end above its level by the slack, and by 10%", () => {
    const stepTo = (before: number, after: number) => (at: number) => (at < 1300 ? before : after);
    assert.equal(verdictOf(series(RETURNS, stepTo(20, 22))), "ok");
    assert.equal(verdictOf(series(RETURNS, stepTo(20, 23))), "grows");
    assert.equal(verdictOf(series(RETURNS, stepTo(1000, 1100))), "ok");
    assert.equal(verdictOf(series(RETURNS, stepTo(1000, 1101))), "grows");
  });

  it("is not judged with one sample", () => {
    assert.equal(verdictOf(series(RETURNS, (at) => (at === 1410 ? 500 : 20))), "ok");
    const { points, ...rest } = series(RETURNS, (at) => (at < 1300 ? 20 : 500));
    const few = points.filter(([at]) => at <= 1405);
    assert.equal(verdictOf({ ...rest, points: few }), "not judged");
  });

  it("has to return after a restart of its process too", () => {
    assert.equal(verdictOf(series(RETURNS, () => 20, [400, 900])), "ok");
    assert.equal(verdictOf(series(RETURNS, (at) => (at > 900 ? 30 : 20), [400, 900])), "grows");
  });
});

describe("a series that has to be steady", () => {
  it("grows if memory leaks, even if the noise is larger than the leak of a minute", () => {
    for (let seed = 0; seed < 20; seed++) {
      const random = createRandomFor(seed, 0);
      const leak = (at: number): number => 100 + at / 20 + 20 * random();
      assert.equal(verdictOf(series(STEADY, leak)), "grows", `seed ${seed}`);
    }
  });

  it("does not grow because of noise", () => {
    for (let seed = 0; seed < 50; seed++) {
      const random = createRandomFor(seed, 0);
      assert.equal(verdictOf(series(STEADY, () => 100 + 40 * random())), "ok", `seed ${seed}`);
    }
  });

  it("does not grow if a garbage collector frees what was added", () => {
    for (const seconds of [20, 45, 70, 110]) {
      assert.equal(verdictOf(series(STEADY, sawtooth(80, seconds))), "ok", `${seconds} s`);
    }
  });

  it("grows if the garbage collector leaves more each time", () => {
    const leak = (at: number): number => sawtooth(80, 45)(at) + at / 20;
    const [judgement] = judge([series(STEADY, leak)], PHASES);
    assert.equal(judgement?.verdict, "grows");
    assert.ok(Math.abs((judgement.slopePerHour ?? 0) - 180) < 20, String(judgement.slopePerHour));
  });

  it("may grow at the start of the load, and level out", () => {
    const warm = (at: number): number => 100 + 100 * (1 - Math.exp(-at / 150));
    assert.equal(verdictOf(series(STEADY, warm)), "ok");
  });

  it("is judged only after the time that it takes to level out", () => {
    const filling = (at: number): number => Math.min(at, 1150) * 10;
    assert.equal(verdictOf(series(STEADY, filling)), "grows");
    assert.equal(verdictOf(series({ ...STEADY, levelsAfter: 1080 }, filling)), "ok");
    assert.equal(verdictOf(series({ ...STEADY, levelsAfter: 1150 }, filling)), "not judged");
  });

  it("is judged by one life of a process that was restarted", () => {
    // The process starts small again: each life grows, the whole does not.
    const leak = (at: number): number => 100 + (at < 900 ? at : at - 900) / 10;
    assert.equal(verdictOf(series(STEADY, leak)), "ok");
    assert.equal(verdictOf(series(STEADY, leak, [900])), "grows");
    // The new process is large from the start: neither life grows.
    const larger = (at: number): number => (at < 900 ? 100 : 200);
    assert.equal(verdictOf(series(STEADY, larger, [900])), "ok");
  });

  it("is not judged if no life lasts for a minute", () => {
    const births = Array.from({ length: 40 }, (_, i) => 90 + i * 30);
    assert.equal(verdictOf(series(STEADY, (at) => at, births)), "not judged");
  });

  it("may grow by less than 10% an hour, even if that is certain", () => {
    const fourHours = { ...PHASES, load: { from: 0, to: 14_400 } };
    const growing = (perHour: number): Series => ({
      ...series(STEADY, () => 0),
      points: Array.from(
        { length: 1440 },
        (_, i) => [i * 10, 10_000 + (perHour * i) / 360] as const,
      ),
    });
    assert.equal(judge([growing(700)], fourHours)[0]?.verdict, "ok");
    assert.equal(judge([growing(1800)], fourHours)[0]?.verdict, "grows");
  });
});

describe("a series without a rule", () => {
  it("is not judged, and is not in the table", () => {
    assert.deepEqual(judge([series(null, (at) => at)], PHASES), []);
  });
});
