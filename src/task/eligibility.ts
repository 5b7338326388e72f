/** Whether a task fits a session: its capabilities, and the tags and ids that it wants. */

/** The required capabilities that are not offered, in the task's order. */
export function missingCapabilities(
  requires: readonly string[],
  offered: ReadonlySet<string> | readonly string[],
): string[] {
  if (requires.length === 0) return [];
  const have = offered instanceof Set ? offered : new Set(offered);
  return requires.filter((capability) => !have.has(capability));
}

/** With more comparisons than this, a set is faster. */
const FEW = 64;

/** Whether a task has every wanted tag. */
export function hasTags(tags: readonly string[], wanted: readonly string[]): boolean {
  if (tags.length * wanted.length <= FEW) return wanted.every((tag) => tags.includes(tag));
  const all = new Set(tags);
  return wanted.every((tag) => all.has(tag));
}

/** Whether a request with these wishes can get the task. */
export function fitsFilter(
  task: {
    readonly taskId: string;
    readonly tags: readonly string[];
    readonly requires: readonly string[];
  },
  filter: {
    readonly prefix: string;
    readonly tags: readonly string[];
    readonly capabilities: ReadonlySet<string> | readonly string[];
  },
): boolean {
  return (
    task.taskId.startsWith(filter.prefix) &&
    hasTags(task.tags, filter.tags) &&
    missingCapabilities(task.requires, filter.capabilities).length === 0
  );
}
