/**
 * Every metric of the coordinator: its name, type, labels and meaning, and for a counter the fact that it
 * counts. `docs/metrics.md` is compared with it.
 */
import type { Fact } from "../service/ports.ts";

export type MetricDefinition = {
  /** One line; it names the unit where there is one. */
  readonly help: string;
  readonly labels: readonly string[];
} & (
  | {
      readonly type: "gauge";
      /** How the values of several processes become one. */
      readonly aggregator: "sum" | "min" | "max";
    }
  /** The values of several processes are added up. */
  | { readonly type: "histogram" }
  | ({ readonly type: "counter" } & Counted<Fact>)
);

/** Which fact a counter counts. */
type Counted<F extends Fact> = F extends Fact
  ? {
      readonly fact: F["kind"];
      /** The field of the fact that each label shows, in the order of `labels`. */
      readonly fields?: readonly Exclude<keyof F, "kind">[];
      /** The field of the fact that says how many it counts. Default: one. */
      readonly amount?: Exclude<keyof F, "kind">;
    }
  : never;

export const METRICS = {
  if_coordinator_claim_latency_p95: {
    type: "gauge",
    aggregator: "max",
    help: "Task claim latency in seconds, 95th percentile of the last 5 minutes (at most 4096 claims); target below 0.010; NaN without claims",
    labels: [],
  },
  if_coordinator_claim_success_rate: {
    type: "gauge",
    aggregator: "min",
    help: "Percentage (0 to 100) of claims of the last 5 minutes (at most 4096) that succeeded, not counting those refused because of the task or the request, such as already claimed; target above 99; NaN without claims",
    labels: [],
  },
  if_coordinator_active_tasks: {
    type: "gauge",
    aggregator: "max",
    help: "Tasks that are claimed now",
    labels: [],
  },
  if_coordinator_event_bus_health: {
    type: "gauge",
    aggregator: "min",
    help: "1 while connected to NATS and without a problem in /readyz, otherwise 0",
    labels: [],
  },
  if_coordinator_tasks: {
    type: "gauge",
    aggregator: "max",
    help: "Tasks by status",
    labels: ["status"],
  },
  if_coordinator_waiting_requests: {
    type: "gauge",
    aggregator: "sum",
    help: "Parked requests for a next task",
    labels: [],
  },
  if_coordinator_sessions: {
    type: "gauge",
    aggregator: "max",
    help: "Registered sessions",
    labels: [],
  },
  if_coordinator_claim_duration_seconds: {
    type: "histogram",
    help: "Time from the arrival of a claim to its answer, in seconds; for tasks.claim, and for tasks.next and a release with next that did not wait",
    labels: [],
  },
  if_coordinator_request_duration_seconds: {
    type: "histogram",
    help: "Time from the arrival of a request to its answer, in seconds; for tasks.next and a release with next with the wait that they asked for",
    labels: ["operation"],
  },
  if_coordinator_requests_total: {
    type: "counter",
    fact: "request",
    help: "Requests by operation and outcome: ok or the error code",
    labels: ["operation", "outcome"],
    fields: ["operation", "outcome"],
  },
  if_coordinator_requests_dropped_total: {
    type: "counter",
    fact: "request_dropped",
    help: "Requests that got no answer, by reason",
    labels: ["reason"],
    fields: ["reason"],
    amount: "times",
  },
  if_coordinator_task_events_total: {
    type: "counter",
    fact: "task_written",
    help: "Transitions that were written, by event type",
    labels: ["type"],
    fields: ["event"],
  },
  if_coordinator_write_conflicts_total: {
    type: "counter",
    fact: "write_conflict",
    help: "Compare-and-set writes that conflicted with another write",
    labels: [],
  },
  if_coordinator_write_unknown_total: {
    type: "counter",
    fact: "write_unknown",
    help: "Writes that were not acknowledged",
    labels: [],
  },
  if_coordinator_leases_granted_total: {
    type: "counter",
    fact: "lease_granted",
    help: "Leases created by the worker that made the claim",
    labels: [],
  },
  if_coordinator_leases_restored_total: {
    type: "counter",
    fact: "lease_restored",
    help: "Leases created for a claim that had none",
    labels: [],
  },
  if_coordinator_leases_expired_total: {
    type: "counter",
    fact: "lease_expired",
    help: "Leases that expired",
    labels: [],
  },
  if_coordinator_leases_disconnected_total: {
    type: "counter",
    fact: "lease_disconnected",
    help: "Leases that ended early because their session lost its connection",
    labels: [],
  },
  if_coordinator_leases_spared_total: {
    type: "counter",
    fact: "lease_spared",
    help: "Leases that ended in or right after an outage, counted by each worker that was in it",
    labels: [],
  },
  if_coordinator_sessions_replaced_total: {
    type: "counter",
    fact: "session_replaced",
    help: "Sessions that were taken over by another instance",
    labels: [],
  },
  if_coordinator_answers_undelivered_total: {
    type: "counter",
    fact: "answer_undelivered",
    help: "Answers that reached nobody, because the client had gone",
    labels: [],
  },
  if_coordinator_tasks_retired_total: {
    type: "counter",
    fact: "task_removed",
    help: "Finished tasks that were removed after their retention time",
    labels: [],
  },
  if_coordinator_corrupt_records_total: {
    type: "counter",
    fact: "corrupt_record",
    help: "Values in the bucket that are not tasks",
    labels: [],
  },
  if_coordinator_audit_lost_total: {
    type: "counter",
    fact: "audit_lost",
    help: "Entries of the audit that are not stored, because NATS was away for too long or refused them",
    labels: [],
    amount: "entries",
  },
} as const satisfies Record<`if_coordinator_${string}`, MetricDefinition>;

export type MetricName = keyof typeof METRICS;
