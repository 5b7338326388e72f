/** A task, and what happened to it, in words for people. */
import type { Reply } from "../../protocol/operations.ts";
import { formatRows } from "../shared/rows.ts";
import { printable } from "../shared/terminal-text.ts";
import { formatAge } from "../shared/time.ts";

type TaskReply = Reply<"tasks.get">;

/** A name and a value in each line; fields without a value are left out. */
export function formatTask(
  { task, lease }: Pick<TaskReply, "task" | "lease">,
  now: number,
): string {
  const rows: [string, string | null][] = [
    ["id", task.task_id],
    ["title", task.title],
    ["status", task.status],
    ["priority", String(task.priority)],
    ["held by", heldBy(task)],
    ["lease", lease === null ? null : `${lease.ttl_seconds} s, until ${lease.expires_at}`],
    ["progress", lease === null ? null : value(lease.progress)],
    ["attempt", String(task.attempt)],
    ["failures", task.failures === 0 ? null : `${task.failures} of ${task.max_failures}`],
    ["lost leases", task.lost_leases === 0 ? null : String(task.lost_leases)],
    ["not before", task.not_before],
    ["depends on", list(task.depends_on)],
    ["requires", list(task.requires)],
    ["tags", list(task.tags)],
    ["completed", task.completed_by === null ? task.completed_at : `by ${task.completed_by}`],
    ["result", value(task.result)],
    ["error", value(task.error)],
    ["created", created(task, now)],
    ["description", task.description],
    ["content", task.redacted === true ? "not shown to this agent" : null],
    ["payload", value(task.payload)],
    ["metadata", Object.keys(task.metadata).length === 0 ? null : value(task.metadata)],
  ];
  const shown = rows.flatMap(([name, text]): [string, string][] =>
    text === null ? [] : [[name, printable(text)]],
  );
  return formatRows(shown);
}

function heldBy({ claimed_by, claimed_at, cancel_requested }: TaskReply["task"]): string | null {
  if (claimed_by === null) return null;
  const request = cancel_requested === true ? ", asked to stop" : "";
  return `${claimed_by} since ${claimed_at ?? "an unknown time"}${request}`;
}

function created({ created_at, created_by }: TaskReply["task"], now: number): string {
  const by = created_by === undefined ? "" : ` by ${created_by}`;
  return `${created_at} (${formatAge(created_at, now)} ago)${by}`;
}

function list(entries: readonly string[]): string | null {
  return entries.length === 0 ? null : entries.join(", ");
}

function value(json: unknown): string | null {
  if (json === null || json === undefined) return null;
  return typeof json === "string" ? json : JSON.stringify(json);
}

/** The answer to a claim in one sentence. */
export function formatClaim(claim: Omit<Reply<"tasks.claim">, "ok">): string {
  const { task, attempt, lease, already_held: isRepeated } = claim;
  const holder = task.claimed_by ?? "the session";
  const what = isRepeated ? "already holds" : "has claimed";
  return printable(
    `${holder} ${what} ${task.task_id} (attempt ${attempt}, ${lease.ttl_seconds} s): ${task.title}`,
  );
}
