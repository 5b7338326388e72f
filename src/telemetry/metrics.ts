/** The sink of facts that counts them, through prom-client. `metric-table.ts` names the metrics. */
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

/** What the gauges read each time the metrics are rendered. */
export interface GaugeSources {
  /** Number of tasks by status; `claimed` among them are the active tasks. */
  tasksByStatus(): Readonly<Record<string, number>>;
  /** Whether all workers are connected to NATS and none has a problem with it. */
  busHealthy(): boolean;
  /** Parked `next` requests. */
  waitingRequests(): number;
  /** Registered sessions. */
  sessions(): number;
}

export interface MetricsOptions extends GaugeSources {
  /** Epoch milliseconds. Default: the system's clock. */
  readonly now?: () => number;
}

export interface Metrics {
  readonly observe: Observe;
  /** All metrics in Prometheus' text format, with those of the process. */
  render(): Promise<string>;
  /** The same as values, to be sent to another process and merged with those of others there. */
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
 * What an outcome says of the coordinator: whether it did its part. A refusal that follows from the
 * task or the request, such as `already_claimed`, says nothing about that.
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
  conflict: "failure",
  overloaded: "failure",
  unavailable: "failure",
  bucket_unusable: "failure",
  internal: "failure",
};

/** Around the target of 10 ms, and up to the longest wait that `next` can ask for, in seconds. */
const BUCKETS = [
  0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5, 15, 60,
];

/** A registry of its own: two coordinators in one process don't count into each other's metrics. */
export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const recentClaims = new RecentClaims(options.now ?? Date.now);
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

function registerCounters(registry: Registry): Observe {
  const requests = counter(registry, "if_coordinator_requests_total");
  const dropped = counter(registry, "if_coordinator_requests_dropped_total");
  const events = counter(registry, "if_coordinator_task_events_total");
  const conflicts = counter(registry, "if_coordinator_write_conflicts_total");
  const unknown = counter(registry, "if_coordinator_write_unknown_total");
  const granted = counter(registry, "if_coordinator_leases_granted_total");
  const restored = counter(registry, "if_coordinator_leases_restored_total");
  const expired = counter(registry, "if_coordinator_leases_expired_total");
  const disconnected = counter(registry, "if_coordinator_leases_disconnected_total");
  const spared = counter(registry, "if_coordinator_leases_spared_total");
  const replaced = counter(registry, "if_coordinator_sessions_replaced_total");
  const undelivered = counter(registry, "if_coordinator_answers_undelivered_total");
  const retired = counter(registry, "if_coordinator_tasks_retired_total");
  const corrupt = counter(registry, "if_coordinator_corrupt_records_total");
  return (fact) => {
    switch (fact.kind) {
      case "request":
        requests.inc({ operation: fact.operation, outcome: fact.outcome });
        return;
      case "request_dropped":
        dropped.inc({ reason: fact.reason });
        return;
      case "task_written":
        events.inc({ type: fact.event });
        return;
      case "write_conflict":
        conflicts.inc();
        return;
      case "write_unknown":
        unknown.inc();
        return;
      case "lease_granted":
        granted.inc();
        return;
      case "lease_restored":
        restored.inc();
        return;
      case "lease_expired":
        expired.inc();
        return;
      case "lease_disconnected":
        disconnected.inc();
        return;
      case "session_replaced":
        replaced.inc();
        return;
      case "lease_spared":
        spared.inc();
        return;
      case "answer_undelivered":
        undelivered.inc();
        return;
      case "task_retired":
        retired.inc();
        return;
      case "corrupt_record":
        corrupt.inc();
        return;
      case "requeued_by_operator": // Counted as the event that it writes.
      case "disconnects":
      case "outage_grace":
      case "bucket_made":
      case "writes_refused":
      case "bucket_remade":
      case "bucket_replaced":
      case "bucket_problem":
      case "start_waits":
      case "index_current":
      case "connection":
      case "watch_failed":
      case "background_error":
      case "variables_ignored":
      case "warning":
        return;
    }
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

function counter(registry: Registry, name: MetricName): Counter {
  return new Counter(configuration(registry, name));
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
  const { help, labels, aggregator = "sum" }: MetricDefinition = METRICS[name];
  return { name, help, labelNames: [...labels], aggregator, registers: [registry] };
}
