/** An update as one line for people. */
import { causeOf } from "../shared/cause.ts";
import { colors } from "../shared/colors.ts";
import type { TaskRemoval, TaskUpdate } from "../../client/task-update.ts";
import { printable, shortened } from "../shared/terminal-text.ts";

type Shown = Pick<
  TaskUpdate,
  | "timestamp"
  | "revision"
  | "type"
  | "task_id"
  | "new_status"
  | "session_id"
  | "claimed_by"
  | "principal"
> & { readonly task: Pick<TaskUpdate["task"], "attempt" | "title"> };

const TITLE_LENGTH = 60;
/** Wide enough for the longest event and status. Longer ids move the rest of their line. */
const WIDTHS = { revision: 6, event: 16, task: 10, status: 9, session: 10, attempt: 3 } as const;

const COLOURS: Readonly<Record<string, (text: string) => string>> = {
  task_claimed: colors.cyan,
  task_renewed: colors.cyan,
  task_completed: colors.green,
  task_attempt_failed: colors.yellow,
  task_expired: colors.yellow,
  task_cancel_requested: colors.yellow,
  task_failed: colors.red,
  task_cancelled: colors.red,
  task_blocked: colors.dim,
};

export function formatUpdate(update: Shown): string {
  const { timestamp, revision, type, task_id, new_status, task } = update;
  const event = type.replace(/^task_/, "").padEnd(WIDTHS.event);
  const by = causeOf(update) ?? "-";
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
  return [time, number, colors.dim("removed".padEnd(WIDTHS.event)), printable(task_id)].join(" ");
}

function start(timestamp: string, revision: number): [string, string] {
  // Without fractions of a second, in UTC as in the records.
  const time = timestamp.replace(/\.\d+Z$/, "Z").padEnd("2026-01-31T17:30:00Z".length);
  return [colors.dim(time), colors.dim(String(revision).padStart(WIDTHS.revision))];
}
