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

/** Sorts the tasks: each comes after those of its dependencies that are given too. There must be no cycle. */
export function inDependencyOrder<T extends { taskId: string; dependsOn: readonly string[] }>(
  tasks: readonly T[],
): T[] {
  const byId = new Map(tasks.map((task) => [task.taskId, task]));
  const waitingFor = new Map<string, number>();
  const dependents = new Map<string, T[]>();
  for (const task of tasks) {
    const inside = [...new Set(task.dependsOn)].filter((id) => byId.has(id));
    waitingFor.set(task.taskId, inside.length);
    for (const id of inside) {
      const list = dependents.get(id);
      if (list === undefined) dependents.set(id, [task]);
      else list.push(task);
    }
  }
  const ordered = tasks.filter((task) => waitingFor.get(task.taskId) === 0);
  for (const done of ordered) {
    for (const task of dependents.get(done.taskId) ?? []) {
      const left = (waitingFor.get(task.taskId) ?? 0) - 1;
      waitingFor.set(task.taskId, left);
      if (left === 0) ordered.push(task);
    }
  }
  return ordered;
}
