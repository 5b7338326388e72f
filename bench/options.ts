/** The options of `npm run bench`. */
import { parse, UsageError } from "../scripts/options/command-line.ts";
import { flag, whole } from "../scripts/options/kinds.ts";
import type { Effort } from "./compare.ts";
import { SUITES } from "./tables/suites.ts";

export interface BenchOptions {
  readonly effort: Effort;
  readonly isShort: boolean;
  /** Whether to replace the tables of docs/performance.md. */
  readonly isDocumented: boolean;
  /** The names of the suites to run; empty: all. */
  readonly only: readonly string[];
}

export const SCRIPT = {
  name: "npm run bench",
  does: "Measures how fast the coordinator is. Prints tables and writes them with charts to bench/results.",
  words: "names of suites",
  names: { kind: "suite", known: SUITES.map(({ name }) => name), list: "--list" },
  options: {
    list: flag("lists the suites and does nothing else"),
    short: flag("takes a few minutes: fewer loads, peers and rounds; writes no file"),
    rounds: whole("how many turns each contender takes", null, {
      min: 1,
      shown: "5; with --short 1",
    }),
    "round-ms": whole("milliseconds that a turn takes, about", null, {
      min: 1,
      shown: "1500; with --short 300",
    }),
    document: flag("also replaces the tables of docs/performance.md"),
  },
};

/** @returns `null` for `--list`. @throws UsageError */
export function parseOptions(args: readonly string[]): BenchOptions | null {
  const { values, words: only } = parse(SCRIPT, args);
  const { short: isShort, document: isDocumented } = values;
  if (values.list) return null;
  if (isShort && isDocumented) {
    throw new UsageError(SCRIPT, "--short writes no file: leave out --document");
  }
  const rounds = values.rounds ?? (isShort ? 1 : 5);
  const roundMs = values["round-ms"] ?? (isShort ? 300 : 1_500);
  return { effort: { rounds, roundMs }, isShort, isDocumented, only };
}
