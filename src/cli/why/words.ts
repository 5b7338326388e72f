/** The sentences of an explanation: one phrase for each reason, the answer in one sentence, and what helps. */
import { counted } from "../shared/counted.ts";
import { formatDuration } from "../shared/time.ts";
import { printable, shortened } from "../shared/terminal-text.ts";
import type { Reason } from "./reasons.ts";

const MAX_VALUE = 80;

/** What follows the task's id, such as `claimed by session-7 for 5m`. */
export function phrase(reason: Reason, now: number): string {
  switch (reason.code) {
    case "claimed":
      return claimed(reason, now);
    case "complete":
      return `complete${by(reason.completed_by)}${ago(reason.completed_at, now)}`;
    case "failed":
      return (
        `failed${ago(reason.failed_at, now)}, after ${counted(reason.attempts, "attempt")}` +
        value("", reason.error)
      );
    case "cancelled":
      return (
        `cancelled${by(reason.cancelled_by)}${ago(reason.cancelled_at, now)}` +
        value("", reason.reason)
      );
    case "missing":
      return "does not exist";
    case "unreadable":
      return "has a record that cannot be read as a task";
    case "blocked":
      return `blocked by ${counted(reason.by, "task")}`;
    case "cycle":
      return `blocked by ${counted(reason.by, "task")}, in a cycle`;
    case "unblocking":
      return "blocked, but its dependencies are complete: a worker is about to make it available";
    case "scheduled":
      return `scheduled, due in ${until(reason.not_before, now)}`;
    case "retry_delay":
      return (
        `waits ${until(reason.not_before, now)} before the next attempt, ` +
        `after ${reason.failures} of ${counted(reason.max_failures, "permitted failure")}` +
        value("", reason.error)
      );
    case "given_back":
      return (
        `given back${by(reason.by)}, due in ${until(reason.not_before, now)}` +
        value("", reason.reason)
      );
    case "missing_capabilities":
      return `ready, but ${capabilities(reason)}`;
    case "no_sessions":
      return "ready, but no session is registered and none asks for a task";
    case "sessions_busy":
      return `ready, but ${busy(reason)}`;
    case "nobody_asks":
      return (
        `ready, but no session asks for a task ` +
        `(${reason.fitting} could do it, ${reason.busy} of them hold tasks)`
      );
    case "not_chosen":
      return (
        `ready, but none of the ${counted(reason.waiting, "request")} that wait wants it: ` +
        "they have another prefix, other tags or too few capabilities"
      );
  }
}

function claimed(reason: Extract<Reason, { code: "claimed" }>, now: number): string {
  const since =
    reason.claimed_at === null ? "" : ` for ${formatDuration(now - Date.parse(reason.claimed_at))}`;
  const stop = reason.cancel_requested ? ", asked to stop" : "";
  return `claimed by ${reason.claimed_by}${since}${stop}, ${leaseText(reason, now)}`;
}

function leaseText({ lease }: Extract<Reason, { code: "claimed" }>, now: number): string {
  if (lease === null) return "no lease known";
  const expiresAt = Date.parse(lease.expires_at);
  const renewed = formatDuration(now - (expiresAt - lease.ttl_seconds * 1_000));
  const left =
    expiresAt > now
      ? `lease ends in ${formatDuration(expiresAt - now)}`
      : `lease ended ${formatDuration(now - expiresAt)} ago`;
  return `last sign of life ${renewed} ago, ${left}${value("progress ", lease.progress)}`;
}

function capabilities(reason: Extract<Reason, { code: "missing_capabilities" }>): string {
  const [names, has] =
    reason.lacking.length > 0
      ? [reason.lacking, "has the capability"]
      : [reason.requires, "has all of the capabilities"];
  return `no registered session ${has} ${listed(names)}`;
}

function busy({ fitting, ready }: { readonly fitting: number; readonly ready: number }): string {
  const sessions =
    fitting === 1 ? "the one session that could do it holds" : `all ${fitting} sessions hold`;
  return `${sessions} other tasks (${counted(ready, "task")} ready)`;
}

/** `3 tasks`. */

/** `a, b, c and 4 more`. */
export function listed(names: readonly string[], most = 3): string {
  const shown = names.slice(0, most).map((name) => shortened(printable(name), MAX_VALUE));
  const rest = names.length - shown.length;
  return rest === 0 ? joined(shown) : `${shown.join(", ")} and ${rest} more`;
}

/** `a, b and c`. */
export function joined(parts: readonly string[]): string {
  const last = parts.at(-1) ?? "";
  return parts.length < 2 ? last : `${parts.slice(0, -1).join(", ")} and ${last}`;
}

function by(session: string | null): string {
  return session === null ? "" : ` by ${session}`;
}

function ago(time: string | null, now: number): string {
  return time === null ? "" : ` ${formatDuration(now - Date.parse(time))} ago`;
}

/** How long it is until then, and when that is. */
function until(time: string, now: number): string {
  return `${formatDuration(Date.parse(time) - now)} (${time})`;
}

/** A value that a session has sent, on one line. */
function value(name: string, given: unknown): string {
  if (given === null || given === undefined) return "";
  const text = typeof given === "string" ? given : (messageOf(given) ?? JSON.stringify(given));
  return `, ${name}"${shortened(printable(text), MAX_VALUE)}"`;
}

/** `if-coordinator run` and the library report an error as an object with a message. */
function messageOf(given: unknown): string | null {
  if (typeof given !== "object" || given === null || !("message" in given)) return null;
  return typeof given.message === "string" && given.message !== "" ? given.message : null;
}
