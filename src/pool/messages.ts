/** What the command's process and those of its workers tell each other. */
import type { Config } from "../config.ts";
import type { Fact } from "../service/ports.ts";
import type { WorkerHealth } from "../telemetry/health.ts";
import type { MetricsSnapshot } from "../telemetry/metrics.ts";

/** That a worker is to stop is told by closing the channel, as the death of the command does. */
export type ToWorker =
  | { readonly kind: "start"; readonly config: Config }
  /** To be answered with a report. */
  | { readonly kind: "ask" };

export type FromWorker =
  | { readonly kind: "started"; readonly workerId: string }
  /** It could not start, or cannot go on. */
  | { readonly kind: "failed"; readonly message: string }
  | { readonly kind: "report"; readonly report: WorkerReport }
  /** What the command has to hear at once. */
  | { readonly kind: "fact"; readonly fact: UrgentFact };

export type UrgentFact = Extract<Fact, { readonly kind: "writes_refused" }>;

export interface WorkerReport {
  readonly health: readonly WorkerHealth[];
  readonly metrics: MetricsSnapshot;
}
