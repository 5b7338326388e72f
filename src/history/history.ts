/** What is judged: the writes of a bucket, what is known of a task before each, and what is found. */
import type { RecordedEntry } from "../nats/read-history.ts";
import { decodeTask } from "../protocol/task-record.ts";
import type { Task } from "../task/task.ts";
import type { RecordedUpdate } from "./recording.ts";

/** A write that is readable as a task. */
export type Write = RecordedEntry & { readonly task: Task };

/** What the history tells about a task before one of its writes. */
export type Past =
  /** There was no such task. */
  | { readonly kind: "nothing" }
  /** There was one, but its last record is gone or cannot be read. */
  | { readonly kind: "unknown" }
  | KnownPast;

export interface KnownPast {
  readonly kind: "known";
  readonly revision: number;
  readonly task: Task;
  /** The session that holds the current attempt, or held it. `null`: not known, or nobody did. */
  readonly holder: string | null;
  /** The revision that completed the task. `null`: none since it was created or requeued. */
  readonly completedAt: number | null;
  /** When the current lease may have begun at the earliest. `null`: not known, or nobody holds the task. */
  readonly leasedAt: number | null;
}

/** The states of each task, in the order of their revisions. */
export type History = ReadonlyMap<string, readonly Write[]>;

/** A break of a rule. */
export interface Finding {
  /** `null` if the finding concerns no single task. */
  readonly taskId: string | null;
  readonly what: string;
}

export interface Problem extends Finding {
  /** The rule or guarantee that is broken. */
  readonly guarantee: string;
}

export function isWrite(entry: RecordedEntry): entry is Write {
  return entry.task !== null;
}

/** The history in the bucket. */
export function historyOf(entries: readonly RecordedEntry[]): History {
  return groupBy(entries.filter(isWrite), ({ taskId }) => taskId);
}

/** The history as a subscriber received it. */
export function entriesToldBy(updates: readonly RecordedUpdate[]): Write[] {
  return updates.map(({ task_id: taskId, revision, task }) => {
    const written = { taskId, revision, writtenAt: Date.parse(task.updated_at) };
    return {
      taskId,
      revision,
      // The times of the record are those of workers, whose clocks may be wrong.
      writtenAt: null,
      task: decodeTask(JSON.stringify(task), written),
      unreadable: null,
      replaces: null,
      isByWorker: true,
    };
  });
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
