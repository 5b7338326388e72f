/** The options of `npm run bench`. */
import { parse, UsageError } from "../scripts/options/command-line.ts";
import { flag, whole } from "../scripts/options/kinds.ts";
import type { Effort } from "./compare.ts";
import { SUITES } from "./tables/suites.ts";

export interface BenchOptions {
  readonly effort: Effort;
  readonly isShort: boolean;
  /** Whether the tables of docs/performance.md are replaced. */
  readonly isDocumented: boolean;
  /** Only the suites of these names; empty: all. */
  readonly only: readonly string[];
}

export const SCRIPT = {
  name: "npm run bench",
  does: "Prints tables of how fast the coordinator is, and writes them to bench/results with charts.",
  words: "names of suites",
  options: {
    list: flag("shows the suites"),
    short: flag("a few minutes: fewer loads, peers and rounds; nothing is written"),
    rounds: whole("how often each takes its turn", null, { min: 1, shown: "5; with --short 1" }),
    "round-ms": whole("how long a turn takes, about", null, {
      min: 1,
      shown: "1500; with --short 300",
    }),
    document: flag("replaces the tables of docs/performance.md as well"),
  },
};

/** @returns `null` if the suites are to be listed. @throws UsageError */
export function parseOptions(args: readonly string[]): BenchOptions | null {
  const { values, words: only } = parse(SCRIPT, args);
  const { short: isShort, document: isDocumented } = values;
  if (values.list) return null;
  if (isShort && isDocumented) {
    throw new UsageError(SCRIPT, "--short writes nothing: leave out --document");
  }
  const unknown = only.find((name) => SUITES.every((suite) => suite.name !== name));
  if (unknown !== undefined) {
    throw new UsageError(SCRIPT, `there is no suite ${unknown}: --list shows them`);
  }
  const rounds = values.rounds ?? (isShort ? 1 : 5);
  const roundMs = values["round-ms"] ?? (isShort ? 300 : 1_500);
  return { effort: { rounds, roundMs }, isShort, isDocumented, only };
}
