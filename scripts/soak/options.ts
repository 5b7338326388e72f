/** The options of `npm run soak`. */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { parseDuration } from "../duration.ts";

export interface SoakOptions {
  readonly seed: number;
  /** How long load and faults last; the warm-up before and the quiet after them come on top. */
  readonly durationMs: number;
  /** 1: one replica; 3: a cluster with three. */
  readonly nodes: number;
  readonly workers: number;
  readonly sessions: number;
  /** Path of the report. */
  readonly report: string;
}

const USAGE = `npm run soak -- [options]
  --duration <n>s|m|h  how long load and faults last (20m)
  --seed <n>           repeats the schedule of an earlier run (drawn by chance)
  --nodes <1 or 3>     NATS servers; three keep every record three times (3)
  --workers <n>        workers, each a process (3)
  --sessions <n>       sessions that ask for whatever chance tells them to (6)
  --report <file>      where the report goes (soak-report.html)`;

/** @throws Error with the usage */
export function parseOptions(args: readonly string[]): SoakOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      duration: { type: "string", default: "20m" },
      seed: { type: "string", default: String(randomInt(2 ** 31)) },
      nodes: { type: "string", default: "3" },
      workers: { type: "string", default: "3" },
      sessions: { type: "string", default: "6" },
      report: { type: "string", default: "soak-report.html" },
    },
  });
  const numbers = {
    seed: Number(values.seed),
    durationMs: parseDuration(values.duration),
    nodes: Number(values.nodes),
    workers: Number(values.workers),
    sessions: Number(values.sessions),
  };
  const areValid = Object.values(numbers).every((n) => Number.isSafeInteger(n) && n >= 0);
  const { nodes, workers, durationMs } = numbers;
  if (!areValid || ![1, 3].includes(nodes) || workers < 1 || durationMs === 0) {
    throw new Error(USAGE);
  }
  return { ...numbers, report: values.report };
}

/** As a command takes them, without the path of the report. */
export function formatOptions(options: SoakOptions): string {
  const { seed, durationMs, nodes, workers, sessions } = options;
  return `--seed ${seed} --nodes ${nodes} --workers ${workers} --sessions ${sessions} --duration ${durationMs / 1000}s`;
}
