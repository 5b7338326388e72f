/** What a client records of an operation on a task: when it asked, for what, and what it was told. */
import type { ErrorCode } from "../protocol/errors.ts";
import type { TaskStatus } from "../task/task.ts";

export interface Claimer {
  readonly sessionId: string;
  /** Which process of the session asks. Default: it does not tell. */
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
  | ({ readonly kind: "renew"; readonly attempt: number } & Claimer)
  | ({
      readonly kind: "release";
      readonly attempt: number;
      readonly status: "available" | "complete" | "failed";
      /** Given back with a delay. */
      readonly isDelayed: boolean;
    } & Claimer)
  | { readonly kind: "cancel"; readonly force: boolean }
  | { readonly kind: "requeue" }
  | { readonly kind: "get" };

/** What a reply says of the task. */
export interface Seen {
  readonly status: TaskStatus;
  readonly claimedBy: string | null;
  readonly attempt: number;
}

export type Told =
  /** `null`: the reply does not show the task, as that of a renewal. */
  | { readonly kind: "ok"; readonly seen: Seen | null }
  | { readonly kind: "refused"; readonly code: ErrorCode; readonly reason: string | null }
  /** No answer, or one that says that the outcome is unknown. */
  | { readonly kind: "unknown" };

export interface TaskOperation {
  readonly asked: Asked;
  readonly told: Told;
}
