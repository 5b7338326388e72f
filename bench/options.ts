/** The options of `npm run bench`. */
import { parseArgs } from "node:util";
import type { Effort } from "./compare.ts";

export interface BenchOptions {
  readonly effort: Effort;
  readonly isShort: boolean;
  /** Whether the tables of docs/performance.md are replaced. */
  readonly isDocumented: boolean;
  /** Only the suites of these names; empty: all. */
  readonly only: readonly string[];
}

const USAGE = `npm run bench -- [options] [names of suites]
Prints tables, and writes them to bench/results as JSON and charts.
  --list            shows the suites
  --short           a few minutes: fewer loads, peers and rounds; nothing is written
  --rounds <n>      how often each takes its turn (5; with --short 1)
  --round-ms <n>    how long a turn takes, about (1500; with --short 300)
  --document        replaces the tables of docs/performance.md as well`;

/** @returns `null` if the suites are to be listed. @throws Error with the usage */
export function parseOptions(args: readonly string[]): BenchOptions | null {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      list: { type: "boolean", default: false },
      short: { type: "boolean", default: false },
      document: { type: "boolean", default: false },
      rounds: { type: "string" },
      "round-ms": { type: "string" },
    },
  });
  if (values.list) return null;
  const rounds = Number(values.rounds ?? (values.short ? 1 : 5));
  const roundMs = Number(values["round-ms"] ?? (values.short ? 300 : 1_500));
  if (values.short && values.document)
    throw new Error("--short writes nothing: leave out --document");
  if (![rounds, roundMs].every((n) => Number.isSafeInteger(n) && n >= 1)) throw new Error(USAGE);
  return {
    effort: { rounds, roundMs },
    isShort: values.short,
    isDocumented: values.document,
    only: positionals,
  };
}
