/** What the service tells of what it does; `telemetry/` and the tests listen. */
import type { ErrorCode } from "../protocol/errors.ts";
import type { Operation } from "../protocol/operations.ts";
import type { TaskEvent } from "../task/task.ts";

/** Facts worth counting or logging; each sink of telemetry takes what it needs. */
export type Fact =
  | {
      readonly kind: "request";
      readonly operation: Operation;
      readonly outcome: "ok" | ErrorCode;
      readonly seconds: number;
      /** Answered with a new claim, without having been parked: its time is that of a claim. */
      readonly claimedAtOnce: boolean;
      readonly principal: string | null;
      /** The defect behind an outcome of `internal`. */
      readonly cause?: unknown;
    }
  | { readonly kind: "request_dropped"; readonly reason: "no_reply_subject" | "malformed" }
  | { readonly kind: "answer_undelivered"; readonly operation: Operation }
  | {
      readonly kind: "task_written";
      readonly taskId: string;
      readonly event: TaskEvent["type"];
      readonly attempt: number;
      readonly revision: number;
      readonly sessionId: string | null;
    }
  | { readonly kind: "write_conflict"; readonly taskId: string }
  | { readonly kind: "write_unknown"; readonly taskId: string }
  | { readonly kind: "requeued_by_operator"; readonly taskId: string; readonly from: string | null }
  | { readonly kind: "lease_granted"; readonly taskId: string; readonly attempt: number }
  /** Invariant 3 of docs/architecture.md: a claim without a lease got one from a worker that did not make the claim. */
  | { readonly kind: "lease_restored"; readonly taskId: string; readonly attempt: number }
  | { readonly kind: "lease_expired"; readonly taskId: string; readonly attempt: number }
  /** Its session's connection was lost, and the claim was taken back for that. */
  | { readonly kind: "lease_disconnected"; readonly taskId: string; readonly attempt: number }
  /** Another instance registered the session; `released`: so many claims of the one before went back. */
  | { readonly kind: "session_replaced"; readonly sessionId: string; readonly released: number }
  /** Whether a worker hears of lost connections; `problem`: why it does not, and what to do. */
  | { readonly kind: "disconnects"; readonly areHeard: boolean; readonly problem: string | null }
  /** It ran out, but in or right after an outage: its holder has some time to renew it all the same. */
  | { readonly kind: "lease_spared"; readonly taskId: string; readonly attempt: number }
  /** An outage is over: for so long the leases that ran out meanwhile are not held against their holders. */
  | { readonly kind: "outage_grace"; readonly seconds: number; readonly spared: number }
  | { readonly kind: "task_retired"; readonly taskId: string }
  | { readonly kind: "corrupt_record"; readonly taskId: string; readonly problem: string }
  /** It was not there when this worker started. */
  | { readonly kind: "bucket_made"; readonly bucket: string }
  /** It was deleted while this worker ran, which has made it again. */
  | { readonly kind: "bucket_remade"; readonly bucket: string }
  /** Somebody else has deleted it and made it again; `madeAt` as the server says it. */
  | { readonly kind: "bucket_replaced"; readonly bucket: string; readonly madeAt: string }
  /** Why a bucket cannot be used, such as that it was deleted; `null`: it can be again. */
  | { readonly kind: "bucket_problem"; readonly bucket: string; readonly problem: string | null }
  /** A bucket refuses every write while the connection is up; `null`: no longer. */
  | { readonly kind: "writes_refused"; readonly bucket: string; readonly reason: string | null }
  /** A worker that starts waits for NATS; `problem`: why, `null`: no longer. */
  | { readonly kind: "start_waits"; readonly problem: string | null }
  | { readonly kind: "index_current"; readonly tasks: number; readonly seconds: number }
  | {
      readonly kind: "connection";
      readonly state: "connected" | "disconnected";
      readonly server: string;
    }
  /** The watch of a bucket broke and begins again. */
  | { readonly kind: "watch_failed"; readonly bucket: string; readonly cause: unknown }
  | { readonly kind: "background_error"; readonly what: string; readonly cause: unknown }
  /** Variables of Kubernetes that begin as settings do. */
  | { readonly kind: "variables_ignored"; readonly names: readonly string[] }
  | { readonly kind: "warning"; readonly message: string };

export type Observe = (fact: Fact) => void;
