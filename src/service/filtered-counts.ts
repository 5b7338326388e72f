/**
 * Counts the tasks of each status that pass a filter of prefix and tags.
 *
 * The first count for a filter looks at every task, which takes a few milliseconds for 100,000 tasks.
 * From then on each change of a task corrects the counts. The sessions of a swarm share a few filters.
 */
import { hasTags } from "../task/eligibility.ts";
import type { TaskOutline } from "../protocol/packed-fields.ts";
import type { TaskStatus } from "../task/task.ts";
import type { TaskIndex } from "./task-index.ts";

/** With more filters than this, the least recently used one is forgotten. */
const MAX_FILTERS = 32;

export interface CountFilter {
  readonly prefix: string;
  readonly tags: readonly string[];
}

interface Counted {
  readonly filter: CountFilter;
  readonly counts: Map<TaskStatus, number>;
}

export class FilteredCounts {
  readonly #tasks: TaskIndex;
  /** By the filter's JSON, the most recently used one last. */
  readonly #counted = new Map<string, Counted>();

  constructor(tasks: TaskIndex) {
    this.#tasks = tasks;
    tasks.onChange(({ taskId, before, after }) => {
      for (const counted of this.#counted.values()) {
        if (!taskId.startsWith(counted.filter.prefix)) continue;
        count(counted, before, -1);
        count(counted, after, 1);
      }
    });
  }

  of(status: TaskStatus, { prefix, tags }: CountFilter): number {
    if (prefix === "" && tags.length === 0) return this.#tasks.counts()[status];
    const key = JSON.stringify([prefix, tags]);
    const counted = this.#counted.get(key) ?? this.#countAll({ prefix, tags });
    this.#counted.delete(key);
    this.#counted.set(key, counted);
    const [oldest = key] = this.#counted.keys();
    if (this.#counted.size > MAX_FILTERS) this.#counted.delete(oldest);
    return counted.counts.get(status) ?? 0;
  }

  #countAll(filter: CountFilter): Counted {
    const counted: Counted = { filter, counts: new Map() };
    for (const task of this.#tasks.values()) {
      if (task.taskId.startsWith(filter.prefix)) count(counted, task, 1);
    }
    return counted;
  }
}

function count({ filter, counts }: Counted, task: TaskOutline | null, by: 1 | -1): void {
  if (task === null || !hasTags(task.tags, filter.tags)) return;
  counts.set(task.status, (counts.get(task.status) ?? 0) + by);
}
