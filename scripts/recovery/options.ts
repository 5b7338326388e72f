/** The options of `npm run recovery`. */
import { parse } from "../options/command-line.ts";
import { nodes, text, whole, workers } from "../options/kinds.ts";

export interface RecoveryOptions {
  /** 1, or 3: a cluster with three replicas. */
  readonly nodes: number;
  readonly workers: number;
  readonly rounds: number;
  /** Tasks of the cold start. A start with a tenth of them is measured as well. */
  readonly tasks: number;
  /** Words: only measurements with one of them in their name. Empty: all. */
  readonly only: readonly string[];
  /** The file for the result as JSON. */
  readonly json: string | null;
}

export const SCRIPT = {
  name: "npm run recovery",
  does: "Measures how long a real cluster takes to recover from each fault.",
  words: "words in the names of measurements",
  options: {
    nodes: nodes(1),
    workers: workers(3),
    rounds: whole("how often each fault is caused", 5, { min: 1 }),
    tasks: whole("tasks of the cold start that is measured", 100_000, { min: 10 }),
    json: text("<file>", "also writes the result as JSON", null, { shown: "no file" }),
  },
};

/** @throws UsageError */
export function parseOptions(args: readonly string[]): RecoveryOptions {
  const { values, words } = parse(SCRIPT, args);
  return { ...values, only: words };
}
