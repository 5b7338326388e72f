/** What a request has changed, in one sentence for people, and the warnings about it. */
import type { Reply } from "../../protocol/operations.ts";
import type { OutputOptions } from "../shared/data.ts";
import { printError } from "../shared/output.ts";
import { printable } from "../shared/terminal-text.ts";

type Task = Reply<"tasks.get">["task"];

/** The document of --json has them already. */
export function printWarnings(
  { json }: OutputOptions,
  { warnings }: { readonly warnings: readonly string[] },
): void {
  if (json === true) return;
  for (const warning of warnings) printError(printable(`warning: ${warning}`));
}

export function formatCreated({ task }: { readonly task: Task }): string {
  const title = task.title === "" ? "" : `: ${task.title}`;
  return printable(`created ${task.task_id} (${task.status})${title}`);
}

/** `P0.1 is blocked`, or when it can be claimed. */
export function formatState({ task }: { readonly task: Task }): string {
  const { task_id, status, not_before } = task;
  const isLater = status === "available" && not_before !== null;
  return printable(`${task_id} is ${status}${isLater ? `, but not before ${not_before}` : ""}`);
}

/** How a failed attempt has ended: the task is tried again, or it is not. */
export function formatFailed(reply: { readonly task: Task }): string {
  const { failures, max_failures } = reply.task;
  return `${formatState(reply)} after ${failures} of ${max_failures} failures`;
}

export function formatCancelled(reply: { readonly task: Task }): string {
  const { task_id, cancel_requested, claimed_by } = reply.task;
  if (cancel_requested !== true) return formatState(reply);
  return `${claimed_by ?? "the holder"} is asked to stop working on ${task_id}`;
}

export function formatRenewed(
  { attempt, lease, cancel_requested }: Reply<"tasks.renew">,
  taskId: string,
): string {
  const request = cancel_requested ? "; it is asked to stop, because the task is cancelled" : "";
  return `holds ${taskId} (attempt ${attempt}) for another ${lease.ttl_seconds} s${request}`;
}

export function formatVerified(reply: Reply<"tasks.verify">, taskId: string): string {
  const { holds, holder, attempt, fencing_token } = reply;
  const current =
    holder === null
      ? "no session holds it"
      : `${holder} holds it (attempt ${attempt}, fencing token ${fencing_token})`;
  return printable(`${taskId}: the claim ${holds ? "holds" : "does not hold"}; ${current}`);
}

/** Why `next` has found nothing. */
export function formatNothing({ reasons, next_due_at }: Reply<"tasks.next">): string {
  const causes = Object.entries(REASONS).flatMap(([reason, words]) => {
    const count = reasons[reason];
    return count === undefined ? [] : [`${count} ${words}`];
  });
  const why = causes.length === 0 ? "there are none that could become ready" : causes.join(", ");
  const due = next_due_at === null ? "" : `; one is due at ${next_due_at}`;
  return `no task is ready: ${why}${due}`;
}

const REASONS = {
  blocked: "blocked",
  claimed: "held by sessions",
  not_due: "not due yet",
  capabilities: "available, but not with these capabilities",
  tags: "available, but without these tags",
  prefix: "available, but without this prefix",
};
