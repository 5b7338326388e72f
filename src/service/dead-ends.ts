/**
 * Dead ends: blocked tasks that depend, directly or through other blocked tasks, on a task that failed or was
 * cancelled. Only a person or an agent who changes something can free them.
 *
 * For each dead end we keep one cause: the failed or cancelled task that the chain of dependencies leads to.
 * Each change is passed on to the dependents at once, so a query costs nothing. The code is iterative, because
 * a chain of 100,000 tasks must not exhaust the stack.
 */
import type { TaskOutline } from "../protocol/packed-fields.ts";
import type { KeyIndex } from "../watched/watched-map.ts";

/** What matters of a task. */
type Dependent = Pick<TaskOutline, "taskId" | "status" | "dependsOn">;

/** The tasks that dead ends are found among. */
interface Tasks {
  get(taskId: string): Dependent | undefined;
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

  /** The failed and cancelled tasks that keep this one blocked: one for each dependency, up to `max`. */
  causesOf({ taskId, dependsOn }: Dependent, max: number): string[] {
    const causes = new Set<string>();
    if (!this.has(taskId)) return [];
    for (const id of dependsOn) {
      const cause = this.#causeOf(id);
      if (cause !== undefined) causes.add(cause);
      if (causes.size === max) break;
    }
    return [...causes];
  }

  /** Call this after each change of a task. */
  update(taskId: string, before: Dependent | null, after: Dependent | null): void {
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
      this.#mark(id, this.#tasks.get(id) ?? null),
    );
    this.#passOn(marked);
  }

  /** Records the cause of a task, if there is one. Returns whether its blocked dependents are dead ends. */
  #mark(taskId: string, task: Dependent | null): boolean {
    const cause = task === null ? undefined : this.#verdict(task);
    if (cause === undefined) return false;
    if (cause !== taskId) this.#causes.set(taskId, cause);
    return true;
  }

  /** Marks every blocked dependent of these tasks, and their dependents, if it is not marked yet. */
  #passOn(marked: string[]): void {
    for (const id of marked) {
      const cause = this.#causeOf(id);
      if (cause === undefined) continue;
      for (const above of this.#tasks.dependents.get(id)) {
        if (this.#causes.has(above)) continue;
        if (this.#tasks.get(above)?.status !== "blocked") continue;
        this.#causes.set(above, cause);
        marked.push(above);
      }
    }
  }

  /** The dead ends that depend on the task, directly or through others. */
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

  #verdict(task: Dependent): string | undefined {
    if (isSource(task)) return task.taskId;
    if (task.status !== "blocked") return undefined;
    for (const id of task.dependsOn) {
      const cause = this.#causeOf(id);
      if (cause !== undefined) return cause;
    }
    return undefined;
  }

  #causeOf(taskId: string): string | undefined {
    const task = this.#tasks.get(taskId);
    return task !== undefined && isSource(task) ? taskId : this.#causes.get(taskId);
  }
}

/**
 * Whether the task is a source as before, or none as before, and its dependencies are unchanged. Otherwise, a
 * cycle of marks could keep itself alive: for example, those that come from the task itself.
 */
function isSameChoice(before: Dependent | null, after: Dependent | null): after is Dependent {
  if (before === null || after === null || isSource(before) !== isSource(after)) return false;
  const { dependsOn } = after;
  return (
    dependsOn.length === before.dependsOn.length &&
    dependsOn.every((id, i) => id === before.dependsOn[i])
  );
}

function isSource({ status }: Dependent): boolean {
  return status === "failed" || status === "cancelled";
}
