/** The figures of a simulation: counts from the history in the bucket, times as measured. */
import type { ImportedTask } from "../client/import-tasks.ts";
import { inDependencyOrder } from "../task/dependencies.ts";
import type { EventType } from "../task/task.ts";
import type { RecordedEntry } from "../nats/read-history.ts";

export interface Figures {
  readonly tasks: number;
  readonly dependencies: number;
  /** Tasks in the longest chain of dependencies. Each has to wait for the one before it. */
  readonly longest_chain: number;
  readonly completed: number;
  readonly claims: number;
  /** Attempts that ended because their lease expired. */
  readonly expired_attempts: number;
  readonly failed_attempts: number;
  /** Writes to the bucket, each of which is one event. */
  readonly events: number;
  /** From the first claim request until the coordinator says that all tasks are complete. */
  readonly wall_seconds: number;
  /** Without the creations, because the wall time does not include them. */
  readonly events_per_second: number;
  readonly claim_latency_ms: Percentiles;
}

export interface Percentiles {
  /** The number of values. Without values, the percentiles are `null`. */
  readonly count: number;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

export function computeFigures(
  tasks: readonly ImportedTask[],
  entries: readonly RecordedEntry[],
  measured: { readonly wallSeconds: number; readonly claimLatencies: readonly number[] },
): Figures {
  const count = (type: EventType): number =>
    entries.filter((entry) => entry.task?.lastEvent?.type === type).length;
  return {
    tasks: tasks.length,
    dependencies: tasks.reduce((sum, task) => sum + (task.depends_on?.length ?? 0), 0),
    longest_chain: longestChain(tasks),
    completed: count("task_completed"),
    claims: count("task_claimed"),
    expired_attempts: count("task_expired"),
    failed_attempts: count("task_attempt_failed"),
    events: entries.length,
    wall_seconds: round(measured.wallSeconds),
    events_per_second: Math.round((entries.length - tasks.length) / measured.wallSeconds),
    claim_latency_ms: percentiles(measured.claimLatencies),
  };
}

export function percentiles(values: readonly number[]): Percentiles {
  const at = (share: number): number | null =>
    values.length === 0 ? null : round(quantile(values, share));
  return { count: values.length, p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

/** The quantile by the nearest rank: always one of the values. NaN if there are no values. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(share * sorted.length) - 1] ?? NaN;
}

function longestChain(tasks: readonly ImportedTask[]): number {
  const nodes = tasks.map(({ task_id, depends_on }) => ({
    taskId: task_id,
    dependsOn: depends_on ?? [],
  }));
  const lengths = new Map<string, number>();
  let longest = 0;
  for (const { taskId, dependsOn } of inDependencyOrder(nodes)) {
    const before = dependsOn.reduce((most, id) => Math.max(most, lengths.get(id) ?? 0), 0);
    lengths.set(taskId, before + 1);
    longest = Math.max(longest, before + 1);
  }
  return longest;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
