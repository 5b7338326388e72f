/** The options of `npm run recovery`. */
import { parse } from "../options/command-line.ts";
import { nodes, text, whole, workers } from "../options/kinds.ts";

export const SCRIPT = {
  name: "npm run recovery",
  does: "Measures how long a real cluster takes to recover from each fault.",
  words: "words in the names of measurements",
  options: {
    nodes: nodes(1),
    workers: workers(3),
    rounds: whole("how often each fault is caused", 5, { min: 1 }),
    tasks: whole("tasks of the cold start; a tenth of them is measured too", 100_000, { min: 10 }),
    json: text("<file>", "also writes the result as JSON", null, { shown: "no file" }),
  },
};

export type RecoveryOptions = ReturnType<typeof parseOptions>;

/** `only` has the words; without words, everything is measured. @throws UsageError */
export function parseOptions(args: readonly string[]) {
  const { values, words } = parse(SCRIPT, args);
  return { ...values, only: words };
}
