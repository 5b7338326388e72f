/** What the service reports about its work. `telemetry/` and the tests listen. */
import type { ErrorCode } from "../protocol/errors.ts";
import type { Operation } from "../protocol/operations.ts";
import type { TaskEvent } from "../task/task.ts";

/** Facts that are worth counting or logging. Each sink takes the ones that it needs. */
export type Fact =
  | {
      readonly kind: "request";
      readonly operation: Operation;
      readonly outcome: "ok" | ErrorCode;
      readonly seconds: number;
      /** The answer has a new claim and the request did not wait, so its duration counts as that of a claim. */
      readonly claimedAtOnce: boolean;
      /** Who sent it, such as `agent.s1`; `null`: the NATS server does not say. */
      readonly principal: string | null;
      /** The id from the subject; `null` if there is none, or if it is not valid. */
      readonly id: string | null;
      /** The session that the body names; `null` if it names none. */
      readonly sessionId: string | null;
      /** The attempt that the body names; `null` if it names none. */
      readonly attempt: number | null;
      /** The defect behind an outcome of `internal`. */
      readonly cause?: unknown;
    }
  | {
      readonly kind: "request_dropped";
      /** `too_many`: its sender goes on although its requests are refused. */
      readonly reason: "no_reply_subject" | "malformed" | "too_many";
      readonly times: number;
    }
  | { readonly kind: "answer_undelivered"; readonly operation: Operation }
  | {
      readonly kind: "task_written";
      readonly taskId: string;
      readonly event: TaskEvent["type"];
      readonly attempt: number;
      readonly revision: number;
      readonly sessionId: string | null;
      /** Who sent the request that caused it; `null`: a worker did it by itself, or the server names nobody. */
      readonly principal: string | null;
    }
  | { readonly kind: "write_conflict"; readonly taskId: string }
  | { readonly kind: "write_unknown"; readonly taskId: string }
  | { readonly kind: "requeued_by_operator"; readonly taskId: string; readonly from: string | null }
  | { readonly kind: "lease_granted"; readonly taskId: string; readonly attempt: number }
  /** Invariant 3 of docs/architecture.md: a claim without a lease got one from a worker that did not make the claim. */
  | { readonly kind: "lease_restored"; readonly taskId: string; readonly attempt: number }
  | { readonly kind: "lease_expired"; readonly taskId: string; readonly attempt: number }
  /** The claim was taken back because its session's connection was lost. */
  | { readonly kind: "lease_disconnected"; readonly taskId: string; readonly attempt: number }
  /** Another instance registered the session. `released`: how many claims of the earlier one went back. */
  | { readonly kind: "session_replaced"; readonly sessionId: string; readonly released: number }
  /** Whether lost connections are reported to a worker. `problem`: why not, and the cure. */
  | { readonly kind: "disconnects"; readonly areReported: boolean; readonly problem: string | null }
  /** The lease ended in or right after an outage: its holder still has some time to renew it. */
  | { readonly kind: "lease_spared"; readonly taskId: string; readonly attempt: number }
  /** An outage is over. For `seconds`, leases that ended in it do not cost their holders the claim. */
  | { readonly kind: "outage_grace"; readonly seconds: number; readonly spared: number }
  | { readonly kind: "task_removed"; readonly taskId: string }
  | { readonly kind: "corrupt_record"; readonly taskId: string; readonly problem: string }
  /** The bucket did not exist when this worker started. */
  | { readonly kind: "bucket_made"; readonly bucket: string }
  /** The bucket was deleted while this worker ran, and the worker has made it again. */
  | { readonly kind: "bucket_remade"; readonly bucket: string }
  /** Another program deleted the bucket and made it again. `madeAt`: the server's time of that. */
  | { readonly kind: "bucket_replaced"; readonly bucket: string; readonly madeAt: string }
  /** Why a bucket cannot be used, such as that it was deleted; `null`: it can be used again. */
  | { readonly kind: "bucket_problem"; readonly bucket: string; readonly problem: string | null }
  /** A bucket refuses every write although the connection is up; `null`: no longer. */
  | { readonly kind: "writes_refused"; readonly bucket: string; readonly reason: string | null }
  | { readonly kind: "stream_made"; readonly stream: string }
  /** Why the audit cannot be stored; `null`: it can be again. */
  | { readonly kind: "audit_problem"; readonly problem: string | null }
  /** So many entries of the audit are not stored. */
  | { readonly kind: "audit_lost"; readonly entries: number; readonly reason: string }
  /** A worker that starts waits for NATS. `problem`: why; `null`: it no longer waits. */
  | { readonly kind: "start_waits"; readonly problem: string | null }
  | { readonly kind: "index_current"; readonly tasks: number; readonly seconds: number }
  | {
      readonly kind: "connection";
      readonly state: "connected" | "disconnected";
      readonly server: string;
    }
  /** The watch of a bucket failed and begins again. */
  | { readonly kind: "watch_failed"; readonly bucket: string; readonly cause: unknown }
  | { readonly kind: "background_error"; readonly what: string; readonly cause: unknown }
  /** Environment variables of Kubernetes whose names look like those of settings. */
  | { readonly kind: "variables_ignored"; readonly names: readonly string[] }
  | { readonly kind: "warning"; readonly message: string };

export type Observe = (fact: Fact) => void;
