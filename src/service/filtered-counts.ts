/** Counts the blocked and the claimed tasks that pass a filter of prefix and tags, without a look at the others. */
import type { CompactTask } from "../protocol/compact-task.ts";
import { type ShelfFilter, TaskShelf } from "../task/task-shelf.ts";
import type { TaskIndex } from "./task-index.ts";

export class FilteredCounts {
  readonly #shelves = {
    blocked: new TaskShelf<CompactTask>(),
    claimed: new TaskShelf<CompactTask>(),
  };

  constructor(tasks: TaskIndex) {
    tasks.onChange(({ before, after }) => {
      if (before !== null) this.#shelfOf(before)?.delete(before);
      if (after !== null) this.#shelfOf(after)?.add(after);
    });
  }

  /** Can be an estimate as that of a shelf. */
  of(status: "blocked" | "claimed", filter: ShelfFilter): number {
    return this.#shelves[status].count(filter);
  }

  #shelfOf({ status }: CompactTask): TaskShelf<CompactTask> | null {
    return status === "blocked" || status === "claimed" ? this.#shelves[status] : null;
  }
}
