/** The options of `npm run bench`. */
import { parseArgs } from "node:util";
import type { Effort } from "./compare.ts";

export interface BenchOptions {
  readonly effort: Effort;
  readonly isShort: boolean;
  /** Whether results, charts and the tables of docs/performance.md are replaced. */
  readonly isSaved: boolean;
  /** Only the suites of these names; empty: all. */
  readonly only: readonly string[];
}

const USAGE = `npm run bench -- [options] [names of suites]
  --list            shows the suites
  --short           a few minutes: fewer loads, peers and rounds
  --rounds <n>      how often each takes its turn (5; with --short 1)
  --round-ms <n>    how long a turn takes, about (1500; with --short 300)
  --save            writes bench/results and the tables of docs/performance.md`;

/** @returns `null` if the suites are to be listed. @throws Error with the usage */
export function parseOptions(args: readonly string[]): BenchOptions | null {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      list: { type: "boolean", default: false },
      short: { type: "boolean", default: false },
      save: { type: "boolean", default: false },
      rounds: { type: "string" },
      "round-ms": { type: "string" },
    },
  });
  if (values.list) return null;
  const rounds = Number(values.rounds ?? (values.short ? 1 : 5));
  const roundMs = Number(values["round-ms"] ?? (values.short ? 300 : 1_500));
  if (![rounds, roundMs].every((n) => Number.isSafeInteger(n) && n >= 1)) throw new Error(USAGE);
  return {
    effort: { rounds, roundMs },
    isShort: values.short,
    isSaved: values.save,
    only: positionals,
  };
}
