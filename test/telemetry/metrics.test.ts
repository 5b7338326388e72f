/** The metrics: their values, and that /metrics has each metric of the table. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Fact } from "../../src/service/ports.ts";
import { METRICS, type MetricName } from "../../src/telemetry/metric-table.ts";
import { createMetrics, type Metrics, type MetricsOptions } from "../../src/telemetry/metrics.ts";
import { WINDOW_CLAIMS, WINDOW_MS } from "../../src/telemetry/recent-claims.ts";
import { type RequestFact, requestFact } from "../support/request-fact.ts";

type Outcome = Extract<Fact, { kind: "request" }>["outcome"];

describe("the metrics", () => {
  it("are those of the table, with its types and help texts, and those of the process", async () => {
    const text = await sampleMetrics().render();
    for (const [name, { type, help }] of Object.entries(METRICS)) {
      assert.ok(text.includes(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`), name);
    }
    const own = text.match(/^# TYPE if_coordinator_\S+/gm) ?? [];
    assert.equal(own.length, Object.keys(METRICS).length);
    assert.match(text, /^process_resident_memory_bytes \d+/m);
  });

  it("have names in the style of Prometheus", () => {
    for (const [name, { type }] of Object.entries(METRICS)) {
      assert.equal(name.endsWith("_total"), type === "counter", name);
      assert.equal(name.endsWith("_seconds"), type === "histogram", name);
    }
  });

  it("are separate for each coordinator", async () => {
    const [one, other] = [sampleMetrics(), sampleMetrics()];
    one.observe({ kind: "write_conflict", taskId: "a" });
    assert.equal(await valueOf(one, "if_coordinator_write_conflicts_total"), 1);
    assert.equal(await valueOf(other, "if_coordinator_write_conflicts_total"), 0);
  });
});

describe("the gauges", () => {
  it("have the values of their sources at the time of the scrape", async () => {
    let healthy = true;
    let claimed = 4;
    const metrics = sampleMetrics({
      busHealthy: () => healthy,
      tasksByStatus: () => ({ available: 7, claimed }),
      waitingRequests: () => 2,
      sessions: () => 5,
    });
    assert.equal(await valueOf(metrics, "if_coordinator_event_bus_health"), 1);
    assert.equal(await valueOf(metrics, "if_coordinator_active_tasks"), 4);
    assert.equal(await valueOf(metrics, "if_coordinator_waiting_requests"), 2);
    assert.equal(await valueOf(metrics, "if_coordinator_sessions"), 5);
    assert.equal(await valueOf(metrics, "if_coordinator_tasks", '{status="available"}'), 7);
    healthy = false;
    claimed = 3;
    assert.equal(await valueOf(metrics, "if_coordinator_event_bus_health"), 0);
    assert.equal(await valueOf(metrics, "if_coordinator_active_tasks"), 3);
    assert.equal(await valueOf(metrics, "if_coordinator_tasks", '{status="claimed"}'), 3);
  });
});

describe("the counters", () => {
  const COUNTED: readonly (readonly [Fact, MetricName, string])[] = [
    [claim("ok"), "if_coordinator_requests_total", '{operation="tasks.claim",outcome="ok"}'],
    [
      { kind: "request_dropped", reason: "malformed", times: 1 },
      "if_coordinator_requests_dropped_total",
      '{reason="malformed"}',
    ],
    [
      {
        kind: "task_written",
        taskId: "a",
        event: "task_claimed",
        attempt: 1,
        revision: 2,
        sessionId: "s",
        principal: null,
      },
      "if_coordinator_task_events_total",
      '{type="task_claimed"}',
    ],
    [{ kind: "write_conflict", taskId: "a" }, "if_coordinator_write_conflicts_total", ""],
    [{ kind: "write_unknown", taskId: "a" }, "if_coordinator_write_unknown_total", ""],
    [{ kind: "lease_granted", taskId: "a", attempt: 1 }, "if_coordinator_leases_granted_total", ""],
    [
      { kind: "lease_restored", taskId: "a", attempt: 1 },
      "if_coordinator_leases_restored_total",
      "",
    ],
    [{ kind: "lease_expired", taskId: "a", attempt: 1 }, "if_coordinator_leases_expired_total", ""],
    [
      { kind: "lease_disconnected", taskId: "a", attempt: 1 },
      "if_coordinator_leases_disconnected_total",
      "",
    ],
    [{ kind: "lease_spared", taskId: "a", attempt: 1 }, "if_coordinator_leases_spared_total", ""],
    [
      { kind: "session_replaced", sessionId: "s1", released: 2 },
      "if_coordinator_sessions_replaced_total",
      "",
    ],
    [
      { kind: "answer_undelivered", operation: "tasks.next" },
      "if_coordinator_answers_undelivered_total",
      "",
    ],
    [{ kind: "task_removed", taskId: "a" }, "if_coordinator_tasks_retired_total", ""],
    [
      { kind: "corrupt_record", taskId: "a", problem: "not JSON" },
      "if_coordinator_corrupt_records_total",
      "",
    ],
    [{ kind: "audit_lost", entries: 1, reason: "full" }, "if_coordinator_audit_lost_total", ""],
  ];
  for (const [fact, name, labels] of COUNTED) {
    it(`count ${fact.kind} in ${name}${labels}`, async () => {
      const metrics = sampleMetrics();
      metrics.observe(fact);
      metrics.observe(fact);
      assert.equal(await valueOf(metrics, name, labels), 2);
    });
  }

  it("count what a fact says if it says how many", async () => {
    const metrics = sampleMetrics();
    metrics.observe({ kind: "audit_lost", entries: 200, reason: "full" });
    metrics.observe({ kind: "audit_lost", entries: 3, reason: "no response from stream" });
    assert.equal(await valueOf(metrics, "if_coordinator_audit_lost_total"), 203);
  });

  it("are all tested here", () => {
    const counters = Object.entries(METRICS).filter(([, { type }]) => type === "counter");
    const tested = new Set<string>(COUNTED.map(([, name]) => name));
    assert.deepEqual(
      counters.map(([name]) => name).filter((name) => !tested.has(name)),
      [],
    );
  });
});

describe("claim latency and success", () => {
  it("have a histogram of successful claims and one of all requests", async () => {
    const metrics = sampleMetrics();
    metrics.observe(claim("ok", 0.004));
    metrics.observe(claim("already_claimed", 0.001));
    metrics.observe({ ...claim("ok", 30), operation: "tasks.next", claimedAtOnce: false });
    const duration = "if_coordinator_claim_duration_seconds";
    assert.equal(await valueOf(metrics, duration, "_count"), 1);
    assert.equal(await valueOf(metrics, duration, "_sum"), 0.004);
    assert.equal(await valueOf(metrics, duration, '_bucket{le="0.003"}'), 0);
    assert.equal(await valueOf(metrics, duration, '_bucket{le="0.005"}'), 1);
    const requests = "if_coordinator_request_duration_seconds";
    assert.equal(await valueOf(metrics, requests, '_count{operation="tasks.claim"}'), 2);
    assert.equal(await valueOf(metrics, requests, '_count{operation="tasks.next"}'), 1);
  });

  it("are NaN before the first claim", async () => {
    const metrics = sampleMetrics();
    assert.equal(await valueOf(metrics, "if_coordinator_claim_latency_p95"), NaN);
    assert.equal(await valueOf(metrics, "if_coordinator_claim_success_rate"), NaN);
  });

  it("give the 95th percentile in seconds", async () => {
    const metrics = sampleMetrics();
    for (let i = 100; i >= 1; i--) metrics.observe(claim("ok", i / 1000));
    assert.equal(await valueOf(metrics, "if_coordinator_claim_latency_p95"), 0.095);
  });

  it("give the percentage of claims in which the coordinator did its part", async () => {
    const metrics = sampleMetrics();
    for (let i = 0; i < 3; i++) metrics.observe(claim("ok"));
    metrics.observe(claim("unavailable"));
    const refusals: Outcome[] = ["already_claimed", "not_available", "missing_capabilities"];
    for (const outcome of refusals) metrics.observe(claim(outcome));
    assert.equal(await valueOf(metrics, "if_coordinator_claim_success_rate"), 75);
  });

  it("forget claims after the time of the window", async () => {
    let now = 1_000_000;
    const metrics = sampleMetrics({ steady: () => now });
    metrics.observe(claim("ok", 5));
    now += WINDOW_MS;
    metrics.observe(claim("ok", 0.001));
    assert.equal(await valueOf(metrics, "if_coordinator_claim_latency_p95"), 5);
    now += 1;
    assert.equal(await valueOf(metrics, "if_coordinator_claim_latency_p95"), 0.001);
  });

  it("forget the oldest claims when there are more than the window holds", async () => {
    const metrics = sampleMetrics();
    for (let i = 0; i < WINDOW_CLAIMS; i++) metrics.observe(claim("internal", 1));
    for (let i = 0; i < WINDOW_CLAIMS; i++) metrics.observe(claim("ok", 0.002));
    assert.equal(await valueOf(metrics, "if_coordinator_claim_success_rate"), 100);
    assert.equal(await valueOf(metrics, "if_coordinator_claim_latency_p95"), 0.002);
  });
});

function claim(outcome: Outcome, seconds = 0.001): RequestFact {
  return requestFact({ outcome, seconds });
}

function sampleMetrics(options: Partial<MetricsOptions> = {}): Metrics {
  return createMetrics({
    tasksByStatus: () => ({}),
    busHealthy: () => true,
    waitingRequests: () => 0,
    sessions: () => 0,
    ...options,
  });
}

/** The value of a sample. `suffix` follows the name of the metric: labels, or a part of a histogram. */
async function valueOf(metrics: Metrics, name: MetricName, suffix = ""): Promise<number> {
  const lines = (await metrics.render()).split("\n");
  const line = lines.find((candidate) => candidate.startsWith(`${name}${suffix} `));
  assert.ok(line !== undefined, `no sample ${name}${suffix}`);
  return Number(line.slice(line.lastIndexOf(" ") + 1).replace("Nan", "NaN"));
}
