/** Why one task is not being worked on, as a code with its facts. `words.ts` has the sentences. */
import type { Reply } from "../../protocol/operations.ts";
import type { ChainTask, Found } from "./blocking-chain.ts";
import type { SessionSummary } from "./session-summary.ts";

/** The closed list of reasons. `docs/cli.md` says what each means. */
export const REASON_CODES = [
  "claimed",
  "complete",
  "failed",
  "cancelled",
  "missing",
  "unreadable",
  "blocked",
  "cycle",
  "unblocking",
  "scheduled",
  "retry_delay",
  "given_back",
  "missing_capabilities",
  "no_sessions",
  "sessions_busy",
  "nobody_asks",
  "not_chosen",
] as const;
export type ReasonCode = (typeof REASON_CODES)[number];

/** What the sessions are doing. Only a ready task needs it. */
export interface Demand {
  readonly sessions: SessionSummary;
  /** `next` requests that wait at the worker that answered. */
  readonly waiting: number;
  /** Tasks that are available and due. */
  readonly ready: number;
}

/** How many sessions could do a ready task. */
interface ReadyFacts {
  readonly registered: number;
  readonly fitting: number;
  readonly busy: number;
  readonly waiting: number;
  readonly ready: number;
}

export type Lease = NonNullable<Reply<"tasks.get">["lease"]>;

/** The fields are those of the JSON output. Times are ISO-8601. */
export type Reason =
  | {
      readonly code: "claimed";
      readonly claimed_by: string;
      readonly claimed_at: string | null;
      readonly attempt: number;
      readonly cancel_requested: boolean;
      /** `null` if the worker that answered knows no lease of this claim. */
      readonly lease: Lease | null;
    }
  | {
      readonly code: "complete";
      readonly completed_by: string | null;
      readonly completed_at: string | null;
    }
  | {
      readonly code: "failed";
      readonly failed_at: string;
      readonly attempts: number;
      readonly error: unknown;
    }
  | {
      readonly code: "cancelled";
      readonly cancelled_at: string;
      readonly cancelled_by: string | null;
      readonly reason: string | null;
    }
  | { readonly code: "missing" | "unreadable" | "unblocking" }
  /** `cycle`: also depends on itself through others. */
  | { readonly code: "blocked" | "cycle"; readonly by: number }
  | { readonly code: "scheduled"; readonly not_before: string }
  | {
      readonly code: "retry_delay";
      readonly not_before: string;
      readonly failures: number;
      readonly max_failures: number;
      readonly error: unknown;
    }
  | {
      readonly code: "given_back";
      readonly not_before: string;
      readonly by: string | null;
      readonly reason: string | null;
    }
  | ({
      readonly code: "missing_capabilities";
      readonly requires: readonly string[];
      /** Those that no registered session has. Empty if only no session has all of them. */
      readonly lacking: readonly string[];
    } & ReadyFacts)
  | ({
      readonly code: "no_sessions" | "sessions_busy" | "nobody_asks" | "not_chosen";
    } & ReadyFacts);

/** What a reason follows from, in addition to the task. */
export interface Circumstances {
  readonly now: number;
  /** How many tasks block this one directly. */
  readonly blockers: number;
  readonly isInCycle: boolean;
  readonly lease: Lease | null;
  readonly demand: Demand;
}

export function reasonOf(found: Found, around: Circumstances): Reason {
  if (typeof found === "string") return { code: found };
  switch (found.status) {
    case "claimed":
      return {
        code: "claimed",
        claimed_by: found.claimed_by ?? "",
        claimed_at: found.claimed_at,
        attempt: found.attempt,
        cancel_requested: found.cancel_requested === true,
        lease: around.lease,
      };
    case "complete":
      return {
        code: "complete",
        completed_by: found.completed_by,
        completed_at: found.completed_at,
      };
    case "failed":
      return {
        code: "failed",
        failed_at: found.updated_at,
        attempts: found.attempt,
        error: found.error,
      };
    case "cancelled":
      return {
        code: "cancelled",
        cancelled_at: found.updated_at,
        cancelled_by: found.last_event?.session_id ?? null,
        reason: found.last_event?.reason ?? null,
      };
    case "blocked":
      if (around.blockers === 0) return { code: "unblocking" };
      return { code: around.isInCycle ? "cycle" : "blocked", by: around.blockers };
    case "available":
      return isDue(found, around.now) ? readyReason(found, around.demand) : delayReason(found);
  }
}

export function isDue({ not_before: start }: Pick<ChainTask, "not_before">, now: number): boolean {
  return start === null || Date.parse(start) <= now;
}

function delayReason(task: ChainTask): Reason {
  const not_before = task.not_before ?? "";
  const event = task.last_event;
  switch (event?.type) {
    case "task_attempt_failed": {
      const { failures, max_failures, error } = task;
      return { code: "retry_delay", not_before, failures, max_failures, error };
    }
    case "task_released":
      return { code: "given_back", not_before, by: event.session_id, reason: event.reason };
    default:
      return { code: "scheduled", not_before };
  }
}

function readyReason({ requires }: ChainTask, { sessions, waiting, ready }: Demand): Reason {
  const { count: fitting, busy, lacking } = sessions.fitting(requires);
  const facts = { registered: sessions.registered, fitting, busy, waiting, ready };
  // A request that waits is answered within milliseconds. So none of those that wait fits this task.
  if (requires.length > 0 && fitting === 0) {
    return { code: "missing_capabilities", requires, lacking, ...facts };
  }
  if (waiting > 0) return { code: "not_chosen", ...facts };
  if (fitting === 0) return { code: "no_sessions", ...facts };
  return { code: busy === fitting ? "sessions_busy" : "nobody_asks", ...facts };
}
