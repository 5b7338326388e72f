/** A task as a row of the table, and the filters that the coordinator does not have. */
import type { TaskRecord } from "../../protocol/task-record.ts";
import { formatAge } from "../shared/time.ts";

export const COLUMNS = ["ID", "STATUS", "PRIORITY", "HOLDER", "AGE", "TITLE"] as const;

export function toRow(task: TaskRecord, now: number): string[] {
  return [
    task.task_id,
    task.status,
    String(task.priority),
    task.claimed_by ?? "-",
    formatAge(task.created_at, now),
    task.title,
  ];
}

export interface LocalFilter {
  /** Only tasks whose `not_before` has passed, by the clock of this machine. */
  readonly isDue: boolean;
  /** Only tasks that a session with these capabilities can claim; `null`: any task. */
  readonly capabilities: readonly string[] | null;
}

export function fits(task: TaskRecord, { isDue, capabilities }: LocalFilter, now: number): boolean {
  if (isDue && task.not_before !== null && Date.parse(task.not_before) > now) return false;
  return capabilities === null || task.requires.every((name) => capabilities.includes(name));
}
