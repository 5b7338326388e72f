/** The records of a task as a table for people: one row for each event. */
import type { Reply } from "../../protocol/operations.ts";
import { causeOf } from "../shared/cause.ts";
import { formatTable } from "../shared/table.ts";
import { shortened } from "../shared/terminal-text.ts";

type Entry = Reply<"tasks.history">["entries"][number];

const COLUMNS = ["TIME", "REVISION", "EVENT", "STATUS", "SESSION", "ATTEMPT", "DETAILS"];
const DETAIL_LENGTH = 60;

export function formatHistory(entries: readonly Entry[]): string {
  return formatTable(COLUMNS, entries.map(rowOf));
}

function rowOf({ revision, task }: Entry): string[] {
  const number = String(revision);
  if (task === null) return ["-", number, "-", "-", "-", "-", "removed, or not a task"];
  const { last_event: event, status, attempt } = task;
  // A record that was written by hand has no event.
  const time = event?.timestamp ?? task.updated_at;
  return [
    time.replace(/\.\d+Z$/, "Z"),
    number,
    event?.type.replace(/^task_/, "") ?? "written by hand",
    status,
    (event === null ? null : causeOf(event)) ?? "-",
    attempt === 0 ? "-" : String(attempt),
    shortened(detailsOf(task), DETAIL_LENGTH),
  ];
}

/** Why it happened, or what the attempt left. */
function detailsOf({
  last_event: event,
  result,
  error,
  not_before,
}: NonNullable<Entry["task"]>): string {
  const parts: string[] = [];
  if (event?.reason != null) parts.push(event.reason);
  if (event?.new_status === "complete" && result !== null) parts.push(`result ${inWords(result)}`);
  const isFailure = event?.type === "task_attempt_failed" || event?.type === "task_failed";
  if (isFailure && error !== null) parts.push(`error ${inWords(error)}`);
  if (not_before !== null && event?.new_status === "available")
    parts.push(`not before ${not_before}`);
  return parts.join("; ");
}

function inWords(json: unknown): string {
  return typeof json === "string" ? json : JSON.stringify(json);
}
