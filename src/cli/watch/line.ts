/** An update as one line for people. */
import pc from "picocolors";
import type { TaskRemoval, TaskUpdate } from "../../client/task-update.ts";
import { printable, shortened } from "../shared/terminal-text.ts";

type Shown = Pick<
  TaskUpdate,
  "timestamp" | "revision" | "type" | "task_id" | "new_status" | "session_id" | "claimed_by"
> & { readonly task: Pick<TaskUpdate["task"], "attempt" | "title"> };

const TITLE_LENGTH = 60;
/** Wide enough for the longest event and status. Longer ids move the rest of their line. */
const WIDTHS = { revision: 6, event: 16, task: 10, status: 9, session: 10, attempt: 3 } as const;

const COLOURS: Readonly<Record<string, (text: string) => string>> = {
  task_claimed: pc.cyan,
  task_renewed: pc.cyan,
  task_completed: pc.green,
  task_attempt_failed: pc.yellow,
  task_expired: pc.yellow,
  task_cancel_requested: pc.yellow,
  task_failed: pc.red,
  task_cancelled: pc.red,
  task_blocked: pc.dim,
};

export function formatUpdate(update: Shown): string {
  const { timestamp, revision, type, task_id, new_status, task } = update;
  const event = type.replace(/^task_/, "").padEnd(WIDTHS.event);
  const by = update.session_id ?? update.claimed_by ?? "—";
  const colour = COLOURS[type] ?? ((text: string) => text);
  return [
    ...start(timestamp, revision),
    colour(printable(event)),
    printable(task_id).padEnd(WIDTHS.task),
    printable(new_status).padEnd(WIDTHS.status),
    printable(by).padEnd(WIDTHS.session),
    (task.attempt === 0 ? "" : `#${task.attempt}`).padEnd(WIDTHS.attempt),
    shortened(printable(task.title), TITLE_LENGTH),
  ]
    .join(" ")
    .trimEnd();
}

/** A removal has no time: the marker in the bucket does not reach the subscriber with one. */
export function formatRemoval({ task_id, revision }: TaskRemoval): string {
  const [time, number] = start("", revision);
  return [time, number, pc.dim("removed".padEnd(WIDTHS.event)), printable(task_id)].join(" ");
}

function start(timestamp: string, revision: number): [string, string] {
  // Without fractions of a second, in UTC as in the records.
  const time = timestamp.replace(/\.\d+Z$/, "Z").padEnd("2026-01-31T17:30:00Z".length);
  return [pc.dim(time), pc.dim(String(revision).padStart(WIDTHS.revision))];
}
