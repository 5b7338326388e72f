/** Whether a task fits a session: its capabilities, and the tags that it wants. */

/** The required capabilities that are not offered, in the task's order. */
export function missingCapabilities(
  requires: readonly string[],
  offered: ReadonlySet<string> | readonly string[],
): string[] {
  if (requires.length === 0) return [];
  const have = offered instanceof Set ? offered : new Set(offered);
  return requires.filter((capability) => !have.has(capability));
}

/** Whether a task has every wanted tag. */
export function hasTags(tags: readonly string[], wanted: readonly string[]): boolean {
  return wanted.every((tag) => tags.includes(tag));
}
