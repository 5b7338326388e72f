/** What a history contains: counts for people, next to the verdict. */
import type { RecordedEntry } from "../nats/read-history.ts";

/** A value in the bucket that is not a task. */
export interface Unreadable {
  readonly taskId: string;
  readonly revision: number;
  readonly problem: string;
}

export class Census {
  /** Of the tasks that are judged. */
  revisions = 0;
  removals = 0;
  /** Records that no worker wrote. */
  byHand = 0;
  unreadable = 0;
  readonly sessions = new Set<string>();
  /** Some of the values that are not tasks. */
  readonly examples: Unreadable[] = [];
  from: number | null = null;
  to: number | null = null;
  /** The last time at which a worker wrote something, also to other tasks. */
  lastWorkAt = 0;
  readonly #maxExamples: number;

  constructor(maxExamples: number) {
    this.#maxExamples = maxExamples;
  }

  /** Every entry, also of tasks that are not judged. */
  see({ writtenAt, isByWorker }: RecordedEntry): void {
    if (isByWorker) this.lastWorkAt = Math.max(this.lastWorkAt, writtenAt ?? 0);
  }

  count({ taskId, revision, writtenAt, task, unreadable, isByWorker }: RecordedEntry): void {
    this.revisions++;
    this.from ??= writtenAt;
    this.to = writtenAt ?? this.to;
    if (task !== null) {
      if (!isByWorker) this.byHand++;
      for (const id of [task.claimedBy, task.lastEvent?.sessionId]) {
        if (typeof id === "string") this.sessions.add(id);
      }
    } else if (unreadable === null) this.removals++;
    else {
      this.unreadable++;
      if (this.examples.length < this.#maxExamples) {
        this.examples.push({ taskId, revision, problem: unreadable });
      }
    }
  }
}
