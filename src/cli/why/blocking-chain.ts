/**
 * The tasks that block one task, directly or through other blocked tasks. The chain says which records it
 * still needs, and `load-chain.ts` brings them.
 */
import type { TaskRecord } from "../../protocol/task-record.ts";

/** What an explanation needs to know of a task. */
export type ChainTask = Pick<
  TaskRecord,
  | "task_id"
  | "title"
  | "status"
  | "depends_on"
  | "requires"
  | "claimed_by"
  | "claimed_at"
  | "attempt"
  | "failures"
  | "max_failures"
  | "not_before"
  | "error"
  | "updated_at"
  | "completed_at"
  | "completed_by"
  | "last_event"
> & { readonly cancel_requested?: boolean | undefined };

/** A task, or why there is none: nothing has this id, or its record is not a task. */
export type Found = ChainTask | "missing" | "unreadable";

export class BlockingChain {
  readonly root: string;
  readonly #found = new Map<string, Found>();
  readonly #wanted = new Set<string>();

  constructor(root: string) {
    this.root = root;
    this.#wanted.add(root);
  }

  /** The ids whose records are still needed. */
  get wanted(): ReadonlySet<string> {
    return this.#wanted;
  }

  /** The tasks of the chain that are known, the root included. Complete dependencies do not count. */
  *ids(): Generator<string, void> {
    for (const id of this.#found.keys()) {
      if (id === this.root || this.#isIncomplete(id)) yield id;
    }
  }

  /** A record that is not wanted changes nothing. */
  add(id: string, found: Found): void {
    if (!this.#wanted.delete(id)) return;
    this.#found.set(id, found);
    if (typeof found === "string" || found.status !== "blocked") return;
    for (const dependency of found.depends_on) {
      if (!this.#found.has(dependency)) this.#wanted.add(dependency);
    }
  }

  /** What was added for the id. An id that was not added counts as missing. */
  get(id: string): Found {
    return this.#found.get(id) ?? "missing";
  }

  /** The direct dependencies that keep the task blocked, in the task's order, each once. */
  blockersOf(id: string): string[] {
    const found = this.get(id);
    if (typeof found === "string" || found.status !== "blocked") return [];
    return [...new Set(found.depends_on)].filter((dependency) => this.#isIncomplete(dependency));
  }

  #isIncomplete(id: string): boolean {
    const found = this.get(id);
    return typeof found === "string" || found.status !== "complete";
  }
}
