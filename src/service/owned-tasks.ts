/** How many tasks there are and how large their records are: of all, and of each creator. */
import type { CompactTask } from "../protocol/compact-task.ts";

export interface Owned {
  readonly tasks: number;
  /** The current records. The bucket also has earlier ones. */
  readonly bytes: number;
}

interface Count {
  tasks: number;
  bytes: number;
}

const NOTHING: Owned = { tasks: 0, bytes: 0 };

export class OwnedTasks {
  readonly #all: Count = { tasks: 0, bytes: 0 };
  readonly #byOwner = new Map<string, Count>();

  get all(): Owned {
    return this.#all;
  }

  /** `owner`: the `createdBy` of the tasks. */
  of(owner: string): Owned {
    return this.#byOwner.get(owner) ?? NOTHING;
  }

  changed(before: CompactTask | null, after: CompactTask | null): void {
    if (before !== null) this.#add(before, -1);
    if (after !== null) this.#add(after, 1);
  }

  #add({ createdBy, bytes }: CompactTask, sign: 1 | -1): void {
    add(this.#all, sign, sign * bytes);
    if (createdBy === null) return;
    const count = this.#byOwner.get(createdBy) ?? { tasks: 0, bytes: 0 };
    add(count, sign, sign * bytes);
    if (count.tasks === 0) this.#byOwner.delete(createdBy);
    else if (count.tasks === 1 && sign === 1) this.#byOwner.set(createdBy, count);
  }
}

function add(count: Count, tasks: number, bytes: number): void {
  count.tasks += tasks;
  count.bytes += bytes;
}
