/**
 * Blocked tasks that nothing but a decision can free: they depend, directly or through other blocked tasks,
 * on one that failed or was cancelled.
 *
 * For each of them one cause is kept, the nearest task on a way down that failed or was cancelled. A change
 * is passed on to the tasks that depend on it, so a question costs nothing. Iterative: a chain of
 * 100,000 tasks must not exhaust the stack.
 */
import type { Task } from "../task/task.ts";
import type { KeyIndex } from "../watched/watched-map.ts";

/** What is known of the tasks. */
interface Tasks {
  get(taskId: string): { readonly task: Task } | undefined;
  /** The tasks that name this one in `dependsOn`. */
  readonly dependents: KeyIndex;
}

export class DeadEnds {
  readonly #tasks: Tasks;
  readonly #causes = new Map<string, string>();

  constructor(tasks: Tasks) {
    this.#tasks = tasks;
  }

  get size(): number {
    return this.#causes.size;
  }

  has(taskId: string): boolean {
    return this.#causes.has(taskId);
  }

  /** The failed and cancelled tasks that keep this one blocked: one for each of its dependencies, up to `max`. */
  causesOf({ taskId, dependsOn }: Task, max: number): string[] {
    const causes = new Set<string>();
    if (!this.has(taskId)) return [];
    for (const id of dependsOn) {
      const cause = this.#causeOf(id);
      if (cause !== undefined) causes.add(cause);
      if (causes.size === max) break;
    }
    return [...causes];
  }

  /** To be called after each change of a task. */
  update(taskId: string, before: Task | null, after: Task | null): void {
    const wasSource = before !== null && isSource(before);
    const old = wasSource ? taskId : this.#causes.get(taskId);
    if (old === undefined) {
      if (this.#mark(taskId, after)) this.#passOn([taskId]);
      return;
    }
    if (isSameChoice(before, after) && old === this.#verdict(after)) return;
    const doubtful = this.#dependingOn(taskId);
    for (const id of doubtful) this.#causes.delete(id);
    this.#causes.delete(taskId);
    const marked = [taskId, ...doubtful].filter((id) =>
      this.#mark(id, this.#tasks.get(id)?.task ?? null),
    );
    this.#passOn(marked);
  }

  /** Notes the cause of a task, if it has one. Returns whether others are dead ends because of it. */
  #mark(taskId: string, task: Task | null): boolean {
    const cause = task === null ? undefined : this.#verdict(task);
    if (cause === undefined) return false;
    if (cause !== taskId) this.#causes.set(taskId, cause);
    return true;
  }

  /** Marks every blocked task above these that is not marked yet. */
  #passOn(marked: string[]): void {
    for (const id of marked) {
      const cause = this.#causeOf(id);
      if (cause === undefined) continue;
      for (const above of this.#tasks.dependents.get(id)) {
        if (this.#causes.has(above)) continue;
        if (this.#tasks.get(above)?.task.status !== "blocked") continue;
        this.#causes.set(above, cause);
        marked.push(above);
      }
    }
  }

  /** The dead ends above a task. */
  #dependingOn(taskId: string): Set<string> {
    const found = new Set<string>();
    const below = [taskId];
    for (const id of below) {
      for (const above of this.#tasks.dependents.get(id)) {
        if (found.has(above) || !this.#causes.has(above)) continue;
        found.add(above);
        below.push(above);
      }
    }
    return found;
  }

  #verdict(task: Task): string | undefined {
    if (isSource(task)) return task.taskId;
    if (task.status !== "blocked") return undefined;
    for (const id of task.dependsOn) {
      const cause = this.#causeOf(id);
      if (cause !== undefined) return cause;
    }
    return undefined;
  }

  #causeOf(taskId: string): string | undefined {
    const task = this.#tasks.get(taskId)?.task;
    return task !== undefined && isSource(task) ? taskId : this.#causes.get(taskId);
  }
}

/** Whether what it depends on is the same, so that a cycle cannot uphold itself. */
function isSameChoice(before: Task | null, after: Task | null): after is Task {
  if (before === null || after === null) return false;
  const { dependsOn } = after;
  return (
    dependsOn.length === before.dependsOn.length &&
    dependsOn.every((id, i) => id === before.dependsOn[i])
  );
}

function isSource({ status }: Task): boolean {
  return status === "failed" || status === "cancelled";
}
