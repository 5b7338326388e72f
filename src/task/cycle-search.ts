/**
 * Whether new dependencies of one task close a cycle.
 *
 * A cycle goes from the task to its dependencies, and so on, and back to the task. So it is looked for from both
 * ends in turns: what the task leads to, and what leads to the task. Most tasks that get dependencies have
 * nothing that waits for them yet, and then the search ends at once, however many tasks there are.
 */
import type { DependenciesOf } from "./dependencies.ts";

export interface Neighbours {
  readonly dependenciesOf: DependenciesOf;
  /** The tasks that name this one among their dependencies. */
  readonly dependentsOf: (taskId: string) => Iterable<string>;
}

/**
 * The cycle that the task would be on, as the path `[task, ..., task]`, or `null`. `too_far`: the search has
 * ended after `maxSteps` dependencies.
 */
export function cycleThrough(
  taskId: string,
  dependsOn: readonly string[],
  { dependenciesOf, dependentsOf }: Neighbours,
  maxSteps: number,
): string[] | "too_far" | null {
  const ahead = new Side(taskId, (id) => (id === taskId ? dependsOn : (dependenciesOf(id) ?? [])));
  const behind = new Side(taskId, dependentsOf);
  if (dependsOn.includes(taskId)) return [taskId, taskId];
  while (!ahead.isDone && !behind.isDone) {
    const [side, other] = ahead.steps <= behind.steps ? [ahead, behind] : [behind, ahead];
    const met = side.step(other);
    if (met !== null) return [...ahead.pathTo(met), ...behind.pathTo(met).reverse().slice(1)];
    if (ahead.steps + behind.steps > maxSteps) return "too_far";
  }
  return null;
}

/** What can be reached in one direction, nearest first. */
class Side {
  /** Each task that was reached, and the one before it. */
  readonly #reached = new Map<string, string | null>();
  readonly #neighboursOf: (taskId: string) => Iterable<string>;
  readonly #next: string[];
  #at = 0;
  steps = 0;

  constructor(start: string, neighboursOf: (taskId: string) => Iterable<string>) {
    this.#neighboursOf = neighboursOf;
    this.#next = [start];
    this.#reached.set(start, null);
  }

  get isDone(): boolean {
    return this.#at === this.#next.length;
  }

  /** Goes one step further from one task. Returns a task that the other side has reached, too. */
  step(other: Side): string | null {
    const id = this.#next[this.#at++] ?? "";
    for (const neighbour of this.#neighboursOf(id)) {
      this.steps++;
      if (this.#reached.has(neighbour)) continue;
      this.#reached.set(neighbour, id);
      if (other.#reached.has(neighbour)) return neighbour;
      this.#next.push(neighbour);
    }
    return null;
  }

  /** From the start to the task. */
  pathTo(taskId: string): string[] {
    const path: string[] = [];
    for (let id: string | null = taskId; id !== null; id = this.#reached.get(id) ?? null) {
      path.push(id);
    }
    return path.reverse();
  }
}
