/** Whether the workers have come back to where they were: in memory, and in subscriptions. */
import type { Level } from "./target.ts";

/** What workers keep for good reasons, such as statistics, and what chance makes of the measurement. */
const HEAP_SLACK_BYTES = 16 * 1024 * 1024;

/** `levels`: at the beginning, after warming up if there was time for it, and at the end. */
export function levelProblems(levels: readonly Level[]): string[] {
  const [first, ...later] = levels;
  const last = later.at(-1);
  if (first === undefined || last === undefined) return [];
  const [was, is] = [first.subscriptions.join(", "), last.subscriptions.join(", ")];
  const problems = was === is ? [] : [`the workers had ${was} subscriptions and have ${is}`];
  const warm = later.length > 1 ? (later[0] ?? first) : first;
  for (const [i, heap] of last.heaps.entries()) {
    const grown = heap - (warm.heaps[i] ?? 0);
    if (grown <= HEAP_SLACK_BYTES) continue;
    problems.push(`the memory of a worker has grown by ${Math.round(grown / 1024)} KiB`);
  }
  return problems;
}
