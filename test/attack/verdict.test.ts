import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Sample } from "../../scripts/attack/honest-agent.ts";
import { BOUNDS, judge, latencies, type Observed, UNTIMED } from "../../scripts/attack/verdict.ts";

const sample = (ms: number, outcome = "ok"): Sample => {
  return { session: "alice", phase: "attack", operation: "tasks.get", outcome, ms };
};
const QUIET: Observed = {
  ...{ deaths: [], notReady: 0, lost: [], workerMiB: 120, logBytes: 2_000 },
  samples: Array.from({ length: 200 }, () => sample(3)),
};

/** The promises that do not hold, with what was seen. */
function broken(observed: Partial<Observed>, bounds = BOUNDS): string[] {
  return judge({ ...QUIET, ...observed }, bounds)
    .filter(({ holds }) => !holds)
    .map(({ promise, seen }) => `${promise}: ${seen}`);
}

describe("the verdict on an attack", () => {
  it("finds nothing if the others noticed nothing", () => {
    assert.deepEqual(broken({}), []);
  });

  for (const [what, observed, found] of [
    ["a worker that died", { deaths: ["SIGABRT"] }, "no worker dies: SIGABRT"],
    ["a worker that was not ready", { notReady: 2 }, "the worker stays ready: not ready 2 times"],
    ["a lost lease", { lost: ["bob lost a"] }, "no lease of others is lost: bob lost a"],
    ["memory", { workerMiB: 768 }, "memory of the worker below 768 MiB: 768 MiB"],
    ["a large log", { logBytes: 1024 * 1024 }, "log below 256 KiB: 1024 KiB"],
  ] as const) {
    it(`finds ${what}`, () => {
      assert.deepEqual(broken(observed), [found]);
    });
  }

  it("names the requests that failed, most of them first", () => {
    const samples = [...QUIET.samples, sample(1, "overloaded"), sample(2, "no answer")];
    assert.deepEqual(broken({ samples: [...samples, sample(2, "no answer")] }), [
      "requests of others are served: 3 of 203 failed: tasks.get: no answer (2), tasks.get: overloaded (1)",
    ]);
  });

  it("compares the slowest hundredth of the answers with the bound, if the row has one", () => {
    const samples = [...QUIET.samples, ...Array.from({ length: 3 }, () => sample(400))];
    assert.deepEqual(broken({ samples }), ["p99 of others below 250 ms: 400 ms, at most 400 ms"]);
    assert.deepEqual(broken({ samples }, { ...BOUNDS, p99Ms: null }), []);
    assert.deepEqual(broken({ samples: [...QUIET.samples, sample(400)] }), []);
  });

  it("judges no times on a machine that does other work, but everything else", () => {
    const untimed = { ...BOUNDS, ...UNTIMED };
    const late = [sample(5_000, "no answer"), sample(2_000, "overloaded"), sample(900)];
    const samples = [...QUIET.samples, ...late];
    assert.deepEqual(broken({ samples, notReady: 3 }, untimed), []);
    assert.deepEqual(broken({ samples: [...samples, sample(3, "internal")] }, untimed), [
      "requests of others are served: 1 of 204 failed: tasks.get: internal (1)",
    ]);
    assert.deepEqual(broken({ lost: ["bob lost a"] }, untimed), [
      "no lease of others is lost: bob lost a",
    ]);
  });

  it("fails if the others were not served at all", () => {
    assert.deepEqual(broken({ samples: [] }), [
      "p99 of others below 250 ms: NaN ms, at most NaN ms",
    ]);
  });
});

describe("the latencies", () => {
  it("are quantiles in milliseconds", () => {
    const samples = Array.from({ length: 100 }, (_, i) => sample(i + 1));
    assert.deepEqual(latencies(samples), { p50: 50, p99: 99, max: 100 });
  });
});
