/** The options of `npm run recovery`. */
import { parseArgs } from "node:util";

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

const USAGE = `npm run recovery -- [options] [words in the names of what is measured]
  --nodes <1 or 3>   NATS servers; three keep every record three times (1)
  --workers <n>      workers, each a process (3)
  --rounds <n>       how often each fault is brought about (5)
  --tasks <n>        with how many tasks the coordinator starts that is measured (100000)
  --json <file>      writes the result as JSON, too`;

/** @throws Error with the usage */
export function parseOptions(args: readonly string[]): RecoveryOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      nodes: { type: "string", default: "1" },
      workers: { type: "string", default: "3" },
      rounds: { type: "string", default: "5" },
      tasks: { type: "string", default: "100000" },
      json: { type: "string" },
    },
  });
  const options = {
    nodes: Number(values.nodes),
    workers: Number(values.workers),
    rounds: Number(values.rounds),
    tasks: Number(values.tasks),
  };
  const isValid = Object.values(options).every((n) => Number.isSafeInteger(n) && n >= 1);
  if (!isValid || ![1, 3].includes(options.nodes) || options.tasks < 10) throw new Error(USAGE);
  return { ...options, only: positionals, json: values.json ?? null };
}
