/** The graph of dependencies: incomplete ones, cycles, and an order in which to create tasks. */

/** The dependencies of a task; `undefined` for an unknown task. */
export type DependenciesOf = (taskId: string) => readonly string[] | undefined;

/** The dependencies that are not complete, in the given order. An unknown task is not complete. */
export function unmetDependencies(
  dependsOn: readonly string[],
  isComplete: (taskId: string) => boolean,
): string[] {
  return dependsOn.filter((id) => !isComplete(id));
}

/**
 * A cycle that can be reached from one of `starts`, as the path `[a, b, ..., a]` along `dependsOn`, or `null`.
 *
 * Depth-first, and iterative because a chain of 100,000 tasks must not exhaust the stack.
 */
export function findCycle(
  starts: Iterable<string>,
  dependenciesOf: DependenciesOf,
): string[] | null {
  const finished = new Set<string>();
  for (const start of starts) {
    const cycle = cycleFrom(start, dependenciesOf, finished);
    if (cycle !== null) return cycle;
  }
  return null;
}

function cycleFrom(
  start: string,
  dependenciesOf: DependenciesOf,
  finished: Set<string>,
): string[] | null {
  if (finished.has(start)) return null;
  const path: { readonly id: string; readonly rest: Iterator<string> }[] = [];
  const onPath = new Set<string>();
  const enter = (id: string): void => {
    path.push({ id, rest: (dependenciesOf(id) ?? []).values() });
    onPath.add(id);
  };
  enter(start);
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    const next = top.rest.next();
    if (next.done === true) {
      path.pop();
      onPath.delete(top.id);
      finished.add(top.id);
    } else if (onPath.has(next.value)) {
      const ids = path.map((step) => step.id);
      return [...ids.slice(ids.indexOf(next.value)), next.value];
    } else if (!finished.has(next.value)) {
      enter(next.value);
    }
  }
  return null;
}

/**
 * The tasks in the given order, except that each comes after those of its dependencies that are given too.
 * There must be no cycle.
 *
 * Depth-first, and iterative because a chain of 100,000 tasks must not exhaust the stack.
 */
export function inDependencyOrder<T extends { taskId: string; dependsOn: readonly string[] }>(
  tasks: readonly T[],
): T[] {
  const byId = new Map(tasks.map((task) => [task.taskId, task]));
  // A set keeps the order in which its tasks are added, and a task is added after its dependencies.
  const ordered = new Set<T>();
  for (const task of tasks) {
    const path = [{ task, rest: task.dependsOn.values() }];
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const next = ordered.has(top.task) ? { done: true as const } : top.rest.next();
      if (next.done === true) {
        ordered.add(top.task);
        path.pop();
        continue;
      }
      const dependency = byId.get(next.value);
      if (dependency !== undefined && !ordered.has(dependency)) {
        path.push({ task: dependency, rest: dependency.dependsOn.values() });
      }
    }
  }
  return [...ordered];
}
