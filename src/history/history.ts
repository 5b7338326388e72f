/** The input of the rules (the states of each task, one for each write) and their findings. */
import type { RecordedEntry } from "../nats/read-history.ts";
import { decodeTask } from "../protocol/task-record.ts";
import type { Task } from "../task/task.ts";
import type { RecordedUpdate } from "./recording.ts";

/** A write that is readable as a task. */
export interface TaskState {
  readonly taskId: string;
  readonly revision: number;
  readonly task: Task;
}

/** The states of each task, in the order of their revisions. */
export type History = ReadonlyMap<string, readonly TaskState[]>;

/** A break of a rule. */
export interface Finding {
  /** `null` if the finding concerns no single task. */
  readonly taskId: string | null;
  readonly what: string;
}

export interface Problem extends Finding {
  /** The guarantee that is broken. */
  readonly guarantee: string;
}

/** The history in the bucket. */
export function historyOf(entries: readonly RecordedEntry[]): History {
  const states = entries.flatMap(({ taskId, revision, task }) =>
    task === null ? [] : { taskId, revision, task },
  );
  return groupBy(states, ({ taskId }) => taskId);
}

/** The history as a subscriber received it. */
export function historyToldBy(updates: readonly RecordedUpdate[]): History {
  const states = updates.map(({ task_id: taskId, revision, task }) => {
    const written = { taskId, revision, writtenAt: Date.parse(task.updated_at) };
    return { taskId, revision, task: decodeTask(JSON.stringify(task), written) };
  });
  return groupBy(states, ({ taskId }) => taskId);
}

export function groupBy<T>(all: readonly T[], keyOf: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const group = groups.get(keyOf(one));
    if (group === undefined) groups.set(keyOf(one), [one]);
    else group.push(one);
  }
  return groups;
}
