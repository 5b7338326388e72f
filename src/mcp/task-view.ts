/**
 * What a model is shown of a task. Each field stays in the context of the model, so fields that say nothing
 * are left out, and long ones are shortened.
 */
import type { Reply } from "../protocol/operations.ts";
import type { TaskRecord } from "../protocol/task-record.ts";

/** Characters of one field of a task to work on. A longer one would displace the work itself. */
const MAX_OF_WORK = 40_000;
/** Characters of one field of a record that is only looked at. */
const MAX_OF_RECORD = 4_000;
const DEFAULT_PRIORITY = 2;

export type View = Readonly<Record<string, unknown>>;

/** A task to work on. */
export function workView(task: TaskRecord): View {
  return shown(MAX_OF_WORK, {
    ...definitionOf(task),
    last_error: task.failures > 0 ? task.error : null,
  });
}

/** A task to look at: all that is known of it. */
export function recordView({ task, lease, dead_ends: deadEnds }: Reply<"tasks.get">): View {
  return shown(MAX_OF_RECORD, {
    ...definitionOf(task),
    status: task.status,
    claim: task.claimed_by === null ? null : handleOf(task.task_id, task.attempt),
    claimed_by: task.claimed_by,
    claimed_at: task.claimed_at,
    progress: lease?.progress,
    cancel_requested: task.cancel_requested,
    depends_on: task.depends_on,
    requires: task.requires,
    not_before: task.not_before,
    failures: task.failures === 0 ? null : task.failures,
    error: task.error,
    result: task.result,
    completed_by: task.completed_by,
    completed_at: task.completed_at,
    blocked_for_good_by: deadEnds,
  });
}

/** A task in a list. */
export function lineView({ task_id, title, status, claimed_by }: TaskRecord): View {
  return shown(MAX_OF_LINE, { task_id, title, status, claimed_by });
}
const MAX_OF_LINE = 100;

function definitionOf(task: TaskRecord): View {
  const { task_id, title, description, priority, tags, metadata, payload } = task;
  return {
    task_id,
    title,
    description,
    priority: priority === DEFAULT_PRIORITY ? null : priority,
    tags,
    metadata,
    payload,
  };
}

/** The handle of a claim: the fencing of the coordinator in one word. An id contains no `#`. */
export function handleOf(taskId: string, attempt: number): string {
  return `${taskId}#${attempt}`;
}

function shown(length: number, fields: View): View {
  const kept = Object.entries(fields).filter(([, value]) => says(value));
  return Object.fromEntries(kept.map(([name, value]) => [name, shownValue(value, length)]));
}

function says(value: unknown): boolean {
  if (value === null || value === undefined || value === "" || value === false) return false;
  return typeof value !== "object" || Object.keys(value).length > 0;
}

/** A value that is too long becomes the beginning of its text. */
function shownValue(value: unknown, length: number): unknown {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length <= length ? value : shortText(text, length);
}

export function shortText(text: string, length: number): string {
  if (text.length <= length) return text;
  return `${text.slice(0, length).toWellFormed()}... (${text.length - length} more characters)`;
}
