/** Problems of files as lines for people: `board.md:12:5: what is wrong`. */
import type { Finding, FindingList } from "../../task-files/findings.ts";

/** So many are named; of the others only their number. */
const MAX_SHOWN = 20;

export function problemsText({ kept, count }: FindingList): string {
  const problems = count === 1 ? "a problem" : `${count} problems`;
  return [`nothing is imported, because the files have ${problems}:`, ...lines(kept, count)].join(
    "\n",
  );
}

export function warningLines(warnings: readonly Finding[], count = warnings.length): string[] {
  return lines(warnings, Math.max(count, warnings.length)).map((line) => `warning: ${line}`);
}

function lines(findings: readonly Finding[], count: number): string[] {
  const shown = findings.slice(0, MAX_SHOWN).map(({ place, message }) => `${place}: ${message}`);
  return count > shown.length ? [...shown, `and ${count - shown.length} more`] : shown;
}
