/** The changes of tasks, as a wait needs them. */
import type { Coordinator } from "../../client/coordinator.ts";
import type { TaskRecord } from "../../protocol/task-record.ts";

export interface TaskChanges {
  updated(task: TaskRecord, revision: number): void;
  removed(taskId: string, revision: number): void;
  /** Some changes were not delivered, or the bucket was created again: read the tasks again. */
  interrupted(): void;
}

/**
 * Resolves when every later change will be delivered.
 *
 * @param prefix of the ids
 */
export async function watchTasks(
  coordinator: Coordinator,
  prefix: string,
  changes: TaskChanges,
): Promise<void> {
  let last = 0;
  /** The revisions of a bucket grow, and those of a new bucket count from 1. */
  const follow = (revision: number): void => {
    if (revision < last) changes.interrupted();
    last = revision;
  };
  await coordinator.subscribeTaskUpdates(
    ({ task, revision, transitions_missing: isMissing }) => {
      follow(revision);
      if (isMissing) changes.interrupted();
      changes.updated(task, revision);
    },
    {
      filter: { prefix },
      onRemoved: ({ task_id: id, revision }) => {
        follow(revision);
        changes.removed(id, revision);
      },
    },
  );
}
