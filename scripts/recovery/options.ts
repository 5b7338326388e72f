/** The options of `npm run recovery`. */
import { parse } from "../options/command-line.ts";
import { nodes, text, whole, workers } from "../options/kinds.ts";

export interface RecoveryOptions {
  /** 1: one replica; 3: a cluster with three. */
  readonly nodes: number;
  readonly workers: number;
  readonly rounds: number;
  /** With how many tasks a coordinator starts that is measured; a tenth of them is measured as well. */
  readonly tasks: number;
  /** Only the measurements whose name has one of these words; empty: all. */
  readonly only: readonly string[];
  /** Where the result is written as JSON. */
  readonly json: string | null;
}

export const SCRIPT = {
  name: "npm run recovery",
  does: "Measures on a real cluster how long it takes after each fault until all is as before.",
  words: "words in the names of what is measured",
  options: {
    nodes: nodes(1),
    workers: workers(3),
    rounds: whole("how often each fault is brought about", 5, { min: 1 }),
    tasks: whole("with how many tasks the coordinator starts that is measured", 100_000, {
      min: 10,
    }),
    json: text("<file>", "writes the result as JSON, too", null, { shown: "nowhere" }),
  },
};

/** @throws UsageError */
export function parseOptions(args: readonly string[]): RecoveryOptions {
  const { values, words } = parse(SCRIPT, args);
  return { ...values, only: words };
}
