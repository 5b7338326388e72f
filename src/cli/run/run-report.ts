/** What `run` says about a task that has ended: a sentence for people, and a line of JSON for programs. */
import { formatDuration } from "../shared/time.ts";

export const OUTCOMES = ["completed", "failed", "given_back", "cancelled", "lost"] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** One line of `--jsonl`. */
export interface TaskReport {
  readonly task_id: string;
  readonly attempt: number;
  readonly outcome: Outcome;
  /** Whether it has failed and is not tried again. */
  readonly final: boolean;
  /** Why it was not completed, or what else there is to know; otherwise null. */
  readonly reason: string | null;
  /** The result of a completed task; otherwise null. */
  readonly result: unknown;
  /** Of the command. Null if a signal has ended it, or it was not started. */
  readonly exit_code: number | null;
  readonly signal: string | null;
  readonly duration_ms: number;
}

const VERBS: Readonly<Record<Outcome, string>> = {
  completed: "completed",
  failed: "failed",
  given_back: "gave back",
  cancelled: "cancelled",
  lost: "lost",
};

/** `failed P0.5.1 after 3.2s: exit code 1`. */
export function describeReport({
  task_id: id,
  outcome,
  reason,
  duration_ms: ms,
}: TaskReport): string {
  const preposition = outcome === "completed" ? "in" : "after";
  const why = reason === null ? "" : `: ${reason}`;
  return `${VERBS[outcome]} ${id} ${preposition} ${formatElapsed(ms)}${why}`;
}

/** `12 completed, 1 failed`; `no task` if there was none. */
export function describeCounts(counts: ReadonlyMap<Outcome, number>): string {
  const parts = OUTCOMES.flatMap((outcome) => {
    const count = counts.get(outcome) ?? 0;
    return count === 0 ? [] : [`${count} ${outcome.replace("_", " ")}`];
  });
  return parts.length === 0 ? "no task" : parts.join(", ");
}

/** Under a minute with tenths of a second, because many commands take less than one. */
export function formatElapsed(ms: number): string {
  const tenths = (ms / 1_000).toFixed(1);
  return tenths === "60.0" || ms >= 60_000
    ? formatDuration(Math.round(ms / 1_000) * 1_000)
    : `${tenths}s`;
}
