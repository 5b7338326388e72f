/** The metrics of several processes, merged. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Fact } from "../../src/service/ports.ts";
import { MergedMetrics } from "../../src/telemetry/merged-metrics.ts";
import { createMetrics, type Metrics, type MetricsSnapshot } from "../../src/telemetry/metrics.ts";
import { requestFact } from "../support/request-fact.ts";

const CONFLICTS = "if_coordinator_write_conflicts_total";
const CLAIMS = "if_coordinator_claim_duration_seconds_count";
const SUCCESS = "if_coordinator_claim_success_rate";
const LATENCY = "if_coordinator_claim_latency_p95";

/** A process with this number of claimed tasks in its index. */
function metricsOf({ claimed = 0, busHealthy = true, waiting = 0 }): Metrics {
  return createMetrics({
    tasksByStatus: () => ({ claimed }),
    busHealthy: () => busHealthy,
    waitingRequests: () => waiting,
    sessions: () => claimed,
  });
}

function claim(outcome: "ok" | "unavailable", seconds: number): Fact {
  return requestFact({ outcome, seconds });
}

/** The samples without labels, by name. */
async function samples(
  merged: MergedMetrics,
  answers: Iterable<readonly [object, MetricsSnapshot | null]>,
): Promise<(name: string) => number | undefined> {
  const lines = (await merged.render(new Map(answers))).split("\n");
  const values = new Map(lines.map((line) => line.split(" ") as [string, string]));
  return (name) => {
    const value = values.get(name);
    return value === undefined ? undefined : Number(value.replace("Nan", "NaN"));
  };
}

describe("the metrics of several processes", () => {
  const [one, other] = [{}, {}];

  it("add up the counts and the parked requests, and take the rest from one process", async () => {
    const a = metricsOf({ claimed: 4, waiting: 1 });
    const b = metricsOf({ claimed: 5, waiting: 2, busHealthy: false });
    for (const { observe } of [a, a, b]) observe({ kind: "write_conflict", taskId: "t" });
    for (const fact of [claim("ok", 0.1), claim("ok", 0.1)]) a.observe(fact);
    for (const fact of [claim("ok", 0.3), claim("unavailable", 0.2)]) b.observe(fact);
    const value = await samples(new MergedMetrics(), [
      [one, await a.snapshot()],
      [other, await b.snapshot()],
    ]);
    assert.equal(value(CONFLICTS), 3);
    assert.equal(value(CLAIMS), 3);
    assert.equal(value("if_coordinator_waiting_requests"), 3);
    assert.equal(value("if_coordinator_active_tasks"), 5);
    assert.equal(value('if_coordinator_tasks{status="claimed"}'), 5);
    assert.equal(value("if_coordinator_sessions"), 5);
    assert.equal(value("if_coordinator_event_bus_health"), 0);
    assert.equal(value(LATENCY), 0.3);
    assert.equal(value(SUCCESS), 50);
  });

  it("are NaN only if they are NaN for every process", async () => {
    const [a, b] = [metricsOf({}), metricsOf({})];
    const merged = new MergedMetrics();
    const value = async (): Promise<(name: string) => number | undefined> =>
      samples(merged, [
        [one, await a.snapshot()],
        [other, await b.snapshot()],
      ]);
    assert.equal((await value())(LATENCY), NaN);
    b.observe(claim("ok", 0.1));
    assert.equal((await value())(LATENCY), 0.1);
    assert.equal((await value())(SUCCESS), 100);
  });

  it("keep the counts of a process that does not answer or has ended", async () => {
    const [a, b] = [metricsOf({ claimed: 3 }), metricsOf({ claimed: 2 })];
    for (const { observe } of [a, a, b]) observe({ kind: "write_conflict", taskId: "t" });
    const merged = new MergedMetrics();
    const [ofA, ofB] = [await a.snapshot(), await b.snapshot()];
    const both = await samples(merged, [
      [one, ofA],
      [other, ofB],
    ]);
    assert.equal(both(CONFLICTS), 3);

    const silent = await samples(merged, [
      [one, null],
      [other, ofB],
    ]);
    assert.deepEqual([silent(CONFLICTS), silent("if_coordinator_active_tasks")], [3, 2]);

    for (let scrape = 1; scrape <= 2; scrape++) {
      const gone = await samples(merged, [[other, ofB]]);
      assert.deepEqual([gone(CONFLICTS), gone("if_coordinator_active_tasks")], [3, 2]);
    }
    const replaced = await samples(merged, [
      [other, ofB],
      [{}, ofA],
    ]);
    assert.equal(replaced(CONFLICTS), 5);
    const none = await samples(merged, []);
    assert.deepEqual([none(CONFLICTS), none("if_coordinator_active_tasks")], [5, undefined]);
  });

  it("can be sent from one process to another", async () => {
    const metrics = metricsOf({ claimed: 1 });
    metrics.observe(claim("ok", 0.1));
    const value = await samples(new MergedMetrics(), [
      [one, structuredClone(await metrics.snapshot())],
    ]);
    assert.deepEqual([value(CLAIMS), value(LATENCY)], [1, 0.1]);
  });
});
