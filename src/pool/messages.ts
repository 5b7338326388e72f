/** The messages between the process of a command and those of its workers. */
import type { Config } from "../config.ts";
import type { Fact } from "../service/ports.ts";
import type { WorkerHealth } from "../telemetry/health.ts";
import type { MetricsSnapshot } from "../telemetry/metrics.ts";

/** There is no message to stop: a worker stops when the channel closes, as it does if the command dies. */
export type ToWorker =
  | { readonly kind: "start"; readonly config: Config }
  /** Asks for a report. */
  | { readonly kind: "ask" };

export type FromWorker =
  | { readonly kind: "started"; readonly workerId: string }
  /** The worker could not start, or cannot continue. */
  | { readonly kind: "failed"; readonly message: string }
  | { readonly kind: "report"; readonly report: WorkerReport }
  /** A fact that the command must receive at once. */
  | { readonly kind: "fact"; readonly fact: UrgentFact };

export type UrgentFact = Extract<Fact, { readonly kind: "writes_refused" }>;

export interface WorkerReport {
  readonly health: readonly WorkerHealth[];
  readonly metrics: MetricsSnapshot;
}
