/** The sink of facts that makes metrics of them, with prom-client. The metrics are in `metric-table.ts`. */
import {
  type Aggregator,
  collectDefaultMetrics,
  Counter,
  Gauge,
  Histogram,
  Registry,
} from "prom-client";
import type { Fact, Observe } from "../service/ports.ts";
import { type MetricDefinition, type MetricName, METRICS } from "./metric-table.ts";
import { RecentClaims } from "./recent-claims.ts";

/** The gauges read these each time the metrics are rendered. */
export interface GaugeSources {
  /** Number of tasks by status. `claimed` is the number of active tasks. */
  tasksByStatus(): Readonly<Record<string, number>>;
  /** Whether all workers are connected to NATS and have no problem with it. */
  busHealthy(): boolean;
  /** Parked `next` requests. */
  waitingRequests(): number;
  /** Registered sessions. */
  sessions(): number;
}

export interface MetricsOptions extends GaugeSources {
  /** Milliseconds by a clock that never jumps. Default: that of the system. */
  readonly steady?: () => number;
}

export interface Metrics {
  readonly observe: Observe;
  /** All metrics in the text format of Prometheus, with those of the process. */
  render(): Promise<string>;
  /** The same as values. Another process merges them with those of other workers. */
  snapshot(): Promise<MetricsSnapshot>;
  /** The `Content-Type` of what `render` returns. */
  readonly contentType: string;
}

export type MetricsSnapshot = readonly {
  readonly name: string;
  readonly type: string;
  readonly values: readonly { readonly value: number }[];
}[];

type Outcome = Extract<Fact, { kind: "request" }>["outcome"];

/**
 * Whether the coordinator did its part in a claim with this outcome. A refusal because of the task or the
 * request, such as `already_claimed`, says nothing about that.
 */
const CLAIM_OUTCOMES: Readonly<Record<Outcome, "success" | "failure" | "refusal">> = {
  ok: "success",
  invalid_request: "refusal",
  forbidden: "refusal",
  not_found: "refusal",
  already_exists: "refusal",
  already_claimed: "refusal",
  not_available: "refusal",
  not_holder: "refusal",
  lease_lost: "refusal",
  session_replaced: "refusal",
  missing_capabilities: "refusal",
  too_large: "refusal",
  corrupt_record: "refusal",
  limit_reached: "refusal",
  conflict: "failure",
  overloaded: "failure",
  unavailable: "failure",
  bucket_unusable: "failure",
  internal: "failure",
};

/** In seconds: fine around the target of 10 ms, and up to the longest wait that `next` can ask for. */
const BUCKETS = [
  0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5, 15, 60,
];

/** Each has a registry of its own, so two coordinators in one process do not share metrics. */
export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const recentClaims = new RecentClaims(options.steady ?? (() => performance.now()));
  registerGauges(registry, options, recentClaims);
  const count = registerCounters(registry);
  const claimDuration = histogram(registry, "if_coordinator_claim_duration_seconds");
  const requestDuration = histogram(registry, "if_coordinator_request_duration_seconds");

  const observeRequest = (fact: Extract<Fact, { kind: "request" }>): void => {
    const { operation, outcome, seconds, claimedAtOnce } = fact;
    requestDuration.observe({ operation }, seconds);
    // A `next` that waited for a task says nothing about how long a claim takes.
    if (operation !== "tasks.claim" && !claimedAtOnce) return;
    if (outcome === "ok") claimDuration.observe(seconds);
    const verdict = CLAIM_OUTCOMES[outcome];
    if (verdict !== "refusal") recentClaims.add(seconds, verdict === "success");
  };
  return {
    observe: (fact) => {
      if (fact.kind === "request") observeRequest(fact);
      count(fact);
    },
    render: () => registry.metrics(),
    // prom-client declares the type of a metric as a number, but it is a word.
    snapshot: async () => (await registry.getMetricsAsJSON()) as unknown as MetricsSnapshot,
    contentType: registry.contentType,
  };
}

/** Counts each fact in the counters that name its kind. */
function registerCounters(registry: Registry): Observe {
  const counters = new Map<Fact["kind"], Observe[]>();
  for (const [name, metric] of Object.entries(METRICS) as [MetricName, MetricDefinition][]) {
    if (metric.type !== "counter") continue;
    const count = registerCounter(registry, name, metric);
    counters.set(metric.fact, [...(counters.get(metric.fact) ?? []), count]);
  }
  return (fact) => {
    for (const count of counters.get(fact.kind) ?? []) count(fact);
  };
}

/**
 * Adds the facts up by itself. The counter gets the sums when it is read, because it takes ten times as
 * long to count.
 */
function registerCounter(
  registry: Registry,
  name: MetricName,
  { labels, fields = [], amount }: Extract<MetricDefinition, { type: "counter" }>,
): Observe {
  const sums = new Map<string, { readonly values: readonly string[]; count: number }>();
  new Counter({
    ...configuration(registry, name),
    collect(): void {
      for (const sum of sums.values()) {
        const series = labels.map((label, i) => [label, sum.values[i] ?? ""] as const);
        if (sum.count > 0) this.inc(Object.fromEntries(series), sum.count);
        sum.count = 0;
      }
    },
  });
  return (fact) => {
    const given = fact as unknown as Readonly<Record<string, string>>;
    const counted = amount === undefined ? 1 : Number(given[amount]);
    let key = "";
    for (const field of fields) key += `${given[field] ?? ""}\n`;
    const sum = sums.get(key);
    if (sum !== undefined) sum.count += counted;
    else sums.set(key, { values: fields.map((field) => given[field] ?? ""), count: counted });
  };
}

function registerGauges(registry: Registry, sources: GaugeSources, claims: RecentClaims): void {
  gauge(registry, "if_coordinator_claim_latency_p95", () => claims.p95Seconds());
  gauge(registry, "if_coordinator_claim_success_rate", () => claims.successPercent());
  gauge(registry, "if_coordinator_active_tasks", () => sources.tasksByStatus().claimed ?? 0);
  gauge(registry, "if_coordinator_event_bus_health", () => (sources.busHealthy() ? 1 : 0));
  gauge(registry, "if_coordinator_waiting_requests", () => sources.waitingRequests());
  gauge(registry, "if_coordinator_sessions", () => sources.sessions());
  new Gauge({
    ...configuration(registry, "if_coordinator_tasks"),
    collect(): void {
      for (const [status, tasks] of Object.entries(sources.tasksByStatus())) {
        this.set({ status }, tasks);
      }
    },
  });
}

function gauge(registry: Registry, name: MetricName, read: () => number): void {
  new Gauge({
    ...configuration(registry, name),
    collect(): void {
      this.set(read());
    },
  });
}

function histogram(registry: Registry, name: MetricName): Histogram {
  return new Histogram({ ...configuration(registry, name), buckets: BUCKETS });
}

function configuration(
  registry: Registry,
  name: MetricName,
): {
  name: string;
  help: string;
  labelNames: string[];
  aggregator: Aggregator;
  registers: Registry[];
} {
  const metric: MetricDefinition = METRICS[name];
  const { help, labels } = metric;
  const aggregator = metric.type === "gauge" ? metric.aggregator : "sum";
  return { name, help, labelNames: [...labels], aggregator, registers: [registry] };
}
