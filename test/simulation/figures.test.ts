import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { computeFigures, percentiles } from "../../src/simulation/figures.ts";
import { recoveredHistory } from "./synthetic-history.ts";

describe("the figures of a simulation", () => {
  it("count the ends of the attempts in the history", () => {
    const history = recoveredHistory();
    const tasks = [{ task_id: "b", depends_on: ["a"] }, { task_id: "a" }];
    const measured = { wallSeconds: 2, claimLatencies: [1.234] };
    assert.deepEqual(computeFigures(tasks, history.entries, measured), {
      tasks: 2,
      dependencies: 1,
      longest_chain: 2,
      completed: 1,
      claims: 3,
      expired_attempts: 1,
      failed_attempts: 1,
      events: 8,
      wall_seconds: 2,
      events_per_second: 3,
      claim_latency_ms: { count: 1, p50: 1.23, p95: 1.23, p99: 1.23 },
    });
  });

  it("have percentiles by the nearest rank", () => {
    const values = Array.from({ length: 200 }, (_, i) => 200 - i);
    assert.deepEqual(percentiles(values), { count: 200, p50: 100, p95: 190, p99: 198 });
  });

  it("have no percentiles without values", () => {
    assert.deepEqual(percentiles([]), { count: 0, p50: null, p95: null, p99: null });
  });
});
