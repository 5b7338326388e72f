/** What a client records of an operation on a task: the request and the answer. */
import type { ErrorCode } from "../protocol/errors.ts";
import type { TaskStatus } from "../task/task.ts";

export interface Claimer {
  readonly sessionId: string;
  /** The process of the session that sends the request. Default: the request does not name it. */
  readonly instance?: string;
}

export type Asked =
  | {
      readonly kind: "create";
      readonly maxFailures: number;
      readonly maxLostLeases: number;
      readonly dependsOn: readonly string[];
    }
  | ({ readonly kind: "claim"; readonly ttlSeconds: number } & Claimer)
  | ({
      readonly kind: "renew";
      readonly attempt: number;
      /** The new length of the lease. Default: it stays. */
      readonly ttlSeconds?: number;
    } & Claimer)
  | ({
      readonly kind: "release";
      readonly attempt: number;
      readonly status: "available" | "complete" | "failed";
      /** Whether the task is given back with a delay. */
      readonly isDelayed: boolean;
    } & Claimer)
  | { readonly kind: "cancel"; readonly force: boolean }
  | { readonly kind: "requeue" }
  | { readonly kind: "get" };

/** What a reply says about the task. */
export interface Seen {
  readonly status: TaskStatus;
  readonly claimedBy: string | null;
  readonly attempt: number;
}

export type Told =
  /** `null` if the reply does not show the task, as that of a renewal. */
  | { readonly kind: "ok"; readonly seen: Seen | null }
  | { readonly kind: "refused"; readonly code: ErrorCode; readonly reason: string | null }
  /** No answer, or one that says that the outcome is unknown. */
  | { readonly kind: "unknown" };

export interface TaskOperation {
  readonly asked: Asked;
  readonly told: Told;
}
